// Words that many views share.
import type { ApiError } from '../../api/error';
import type { Messages } from '../en';
import { answer } from './answers';
import { fields as fieldNames } from './fields';
import { many, num } from './words';

type Common = Pick<Messages, keyof typeof import('../en/common').common>;

/** What the server tells, by its code. What depends on the input, such as the bounds of a field, stays as it tells it. */
const told: Record<string, string> = {
  authentication_failed: '로그인 정보가 맞지 않거나 만료되었습니다.',
  forbidden: '이 권한으로는 할 수 없습니다.',
  environment_required: '환경을 먼저 고르십시오.',
  not_found: '해당 항목이 없습니다. 삭제되었거나 다른 환경의 것일 수 있습니다.',
  not_for_console: '테넌트의 키로는 콘솔이 아니라 포털이 열립니다.',
  csrf_failed: '세션을 확인할 수 없습니다. 페이지를 새로고침하십시오.',
  too_many_failures: '이 주소에서 실패가 너무 많았습니다. 잠시 뒤에 다시 시도하십시오.',
  too_many_requests: '요청이 너무 잦습니다. 잠시 뒤에 다시 시도하십시오.',
  overloaded: '처리 중인 요청이 너무 많습니다. 잠시 뒤에 다시 시도하십시오.',
  unavailable: '서버를 잠시 쓸 수 없습니다. 곧 다시 시도하십시오.',
  internal_error: '서버에서 오류가 났습니다.',
  event_id_taken: '같은 이벤트 ID의 메시지가 이미 있습니다.',
  content_expunged: '메시지의 내용이 지워졌습니다.',
  already_replayed: '이미 다시 보냈고, 그 뒤로 실패하지 않았습니다.',
  endpoint_deleted: '보낼 엔드포인트가 삭제되었습니다. 다른 엔드포인트를 고르십시오.',
  secret_is_current: '지금 서명에 쓰는 시크릿입니다. 교체하면 다른 시크릿이 대신합니다.',
  too_many_inboxes: '테스트 수신함이 최대 개수만큼 있습니다. 하나를 지우거나 끝날 때까지 기다리십시오.',
  too_many_alert_rules: '알림 규칙이 최대 개수만큼 있습니다. 하나를 지우십시오.',
  too_many_alert_channels: '알림 채널이 최대 개수만큼 있습니다. 하나를 지우십시오.',
};

/** Of fields that do not validate, by their kind; of other kinds the server's words say which bound is meant. */
const kindsOfFields: Record<string, string> = {
  missing: '필수 항목입니다',
  type_error: '값의 형식이 맞지 않습니다',
};

function toldOfFields({ fields, message }: Pick<ApiError, 'fields' | 'message'>): string {
  if (fields.length === 0) return message;
  const each = fields.map(({ loc, msg, type }) => {
    const [name = '', ...rest] = loc.slice(1);
    return `${[fieldNames[name] ?? name, ...rest].join('.')}: ${kindsOfFields[type ?? ''] ?? msg}.`;
  });
  return ['입력한 값을 받을 수 없습니다.', ...each].join(' ');
}

export const common: Common = {
  num,
  answer,
  states: {
    delivered: '전달됨',
    in_flight: '전송 중',
    waiting: '대기 중',
    held: '보류됨',
    dead: '데드 레터',
    cancelled: '취소됨',
  },
  range: '기간',
  ranges: { '1h': '1시간', '3h': '3시간', '24h': '24시간', '7d': '7일', '30d': '30일' },
  copy: '복사',
  copied: '복사됨',
  more: '더 보기',
  close: '닫기',
  cancel: '취소',
  save: '저장',
  create: '만들기',
  edit: '편집',
  delete: '삭제…',
  deleteNow: '삭제',
  show: '보기',
  hide: '숨기기',
  none: '없음',
  all: '전체',
  yes: '예',
  no: '아니요',
  optional: '선택',
  tryAgain: '다시 시도',
  filter: '필터',
  addFilter: '필터 추가',
  removeFilter: (name) => `${name} 필터 제거`,
  clearFilters: '필터 지우기',
  noMatch: '필터에 맞는 항목이 없습니다',
  pages: '페이지',
  firstPage: '첫 페이지',
  nextPage: '다음 페이지',
  name: '이름',
  created: '생성',
  updated: '변경',
  unlimited: '제한 없음',
  newRows: (count) => `새 항목 ${num(count)}개`,
  since: '시작',
  until: '끝',
  json: { pretty: '보기 좋게', raw: '원문', search: '안에서 찾기' },
  exchange: {
    request: '보낸 요청 그대로',
    rebuilt: '다시 구성한 요청',
    response: '응답',
    curl: 'curl로 복사',
    expunged: '페이로드가 삭제되었습니다.',
  },
  failure: {
    title: '불러오지 못했습니다',
    notDone: '처리하지 못했습니다',
    notFound: '여기에는 그런 것이 없습니다',
    network: '서버가 응답하지 않습니다. 진행 중인 전송은 계속됩니다.',
    page: '페이지에 오류가 있습니다. 새로고침해도 반복되면 Postrider 운영자에게 알려 주십시오.',
    request: '요청',
    noPage: '목록에 그런 페이지가 없습니다.',
    told: (error) => told[error.code] ?? toldOfFields(error),
  },
  live: {
    connecting: '연결 중',
    live: '실시간',
    sampled: (shown, of) => `실시간, ${num(of)}건 중 ${num(shown)}건 표시`,
    lost: (since) => `${since}부터 실시간 아님, 다시 연결 중`,
    off: '실시간 아님',
  },
  count: {
    deliveries: (count) => `전송 ${many(count, '건')}`,
    messages: (count) => `메시지 ${many(count, '건')}`,
    endpoints: (count) => `엔드포인트 ${many(count, '개')}`,
    deadLetters: (count) => `데드 레터 ${many(count, '건')}`,
    attempts: (count) => `시도 ${many(count, '회')}`,
  },
};
