// Messages, deliveries, dead letters.
import type { Delivery, EndpointOverview } from '../../api/types';
import type { Messages } from '../en';
import { isNone } from '../en/words';
import type { Format } from '../format';
import { answer } from './answers';
import { many, num } from './words';

type Traffic = Pick<Messages, keyof typeof import('../en/traffic').traffic>;
type Why = NonNullable<EndpointOverview['heldBecause']>;

const reasons: Record<string, string> = {
  exhausted: '모든 시도 실패',
  gone: 'Gone',
  unsendable: '요청을 만들 수 없음',
  hold_expired: '너무 오래 보류됨',
  endpoint_deleted: '엔드포인트 삭제됨',
  unrecordable: '결과를 기록할 수 없음',
  not_retryable: '재시도하지 않는 실패',
};

const held = (why: Why | Delivery['why'], format: Format, now: number): string => {
  const by = why.by ? `${why.by}에 의해 ` : '';
  const since = why.at ? `${format.moment(why.at, now)}부터 ` : '';
  const what: Record<string, string> = {
    endpoint_paused: `${since}${by}엔드포인트 일시 중지`,
    application_paused: `${since}${by}애플리케이션 일시 중지`,
    all_paused: `${since}${by}전체 일시 중지`,
    disabled_by_request: `${since}${by}엔드포인트 비활성`,
    disabled_gone: `${since}엔드포인트 비활성: 410 Gone 응답`,
    disabled_failing: `${since}엔드포인트 비활성: 여러 날 실패`,
    endpoint_deleted: `${since}${by}엔드포인트 삭제됨`,
  };
  return what[why.code] ?? why.code;
};

const onAttempt = ({ attemptsMade }: Delivery, isAgain: boolean): string => {
  const which = attemptsMade <= 1 ? '첫 시도' : `${attemptsMade}번째 시도`;
  return isAgain ? `재전송 후 ${which}` : which;
};

const arrived = (delivery: Delivery, acceptedAt: string, format: Format, isAgain: boolean): string => {
  const took = delivery.settledAt
    ? `${format.duration(new Date(delivery.settledAt).getTime() - new Date(acceptedAt).getTime())} 만에 `
    : '';
  return `**접수 후 ${took}전달되었습니다**(${onAttempt(delivery, isAgain)}).`;
};

const waits = (delivery: Delivery, format: Format, now: number): string => {
  const { why, nextAttemptAt } = delivery;
  const attempt = `${delivery.attemptsPlanned}회 중 ${delivery.attemptsMade + 1}번째 시도`;
  const ahead = why.ahead && why.ahead.count > 0 ? `, 앞에 ${many(why.ahead, '건')}` : '';
  if (why.code === 'retry' && nextAttemptAt) {
    const left = format.duration(Math.max(0, new Date(nextAttemptAt).getTime() - now));
    return `**${format.moment(nextAttemptAt, now)}에 재시도, ${left} 남음**(${attempt}). 마지막 응답: ${answer(delivery.lastStatusCode, delivery.lastFailure)}.`;
  }
  if (why.code === 'rate_limited') return `**속도 제한을 기다립니다**${ahead}(${attempt}).`;
  if (delivery.state === 'in_flight') return `**요청이 나가 있습니다**(${attempt}).`;
  return `**보낼 때가 되어 곧 나갑니다**${ahead}(${attempt}).`;
};

export const traffic: Traffic = {
  message: {
    title: '메시지',
    titleNote: '접수된 모든 이벤트를 최신순으로, 전송 상태와 함께 보여 줍니다.',
    message: '메시지',
    search: '페이로드의 텍스트 또는 이벤트 ID',
    eventType: '이벤트 유형',
    eventId: '이벤트 ID',
    id: 'ID',
    channel: '채널',
    tag: '태그',
    tags: '태그',
    size: '크기',
    accepted: '접수',
    none: '메시지가 아직 없습니다',
    noneNote: '메시지를 보내면 바로 여기에 표시됩니다.',
    noneTenant: '메시지가 전송되면 바로 여기에 표시됩니다.',
    command: (appId) =>
      `curl -X POST $POSTRIDER/api/v1/app/${appId}/msg \\\n  -H "Authorization: Bearer $KEY" -H "Content-Type: application/json" \\\n  -d '{"eventType":"invoice.paid","payload":{"id":1}}'`,
    lookedTo: (time) => `${time}까지 모두 살펴보았습니다.`,
    lookedAtAll: '보관 중인 것을 모두 살펴보았습니다.',
    older: '더 이전 살펴보기',
    many: '한 페이지에 다 보이지 않을 만큼 많은 엔드포인트로 갔습니다.',
    noEndpoint: '받는 엔드포인트 없음',
    noEndpointNote:
      '접수 당시 이 이벤트 유형과 채널을 받는 엔드포인트가 없었습니다. 엔드포인트의 “복구”로 나중에 보낼 수 있습니다.',
    several: (state, count) => `${state} ${num(count)}`,
    to: (type, application) => `${application}에 보낸 ${type}`,
    deliveryTo: (url) => `${url}에 보내는 전송`,
    copyLink: '링크 복사',
    resend: '재전송',
    tryNow: '지금 시도',
    resent: '보내고 있습니다.',
    resendAsk: '재전송…',
    resendTitle: '이 메시지 재전송',
    resendAct: (count) => `엔드포인트 ${many(count, '개')}에 재전송`,
    resendText: '같은 webhook-id로 바로 다시 보냅니다. 이미 받은 엔드포인트에도 보냅니다.',
    summary: (deliveries) => {
      if (deliveries.length === 0) return '받는 엔드포인트가 없었습니다.';
      const count = (...states: string[]) => deliveries.filter((delivery) => states.includes(delivery.state)).length;
      const part = (n: number, word: string) => n > 0 && `${word} ${many(n, '곳')}`;
      const parts = [
        part(count('delivered'), '전달됨'),
        part(count('waiting', 'in_flight'), '시도 중'),
        part(count('held'), '보류됨'),
        part(count('dead'), '데드 레터'),
        part(count('cancelled'), '취소됨'),
      ];
      return `엔드포인트: ${parts.filter(Boolean).join(' · ')}`;
    },
    payload: '페이로드',
    expunged: '페이로드가 삭제되었습니다',
    expungedNote: '메시지가 있었다는 사실과 그 결과는 남습니다.',
    erase: '페이로드 삭제…',
    eraseTitle: '이 메시지의 페이로드 삭제',
    eraseAct: '페이로드 삭제',
    eraseText: '더는 누구에게도 보낼 수 없습니다. 되돌릴 수 없습니다.',
  },
  why: {
    short: (code) =>
      code.startsWith('disabled')
        ? '엔드포인트 비활성'
        : code === 'all_paused'
          ? '전체 일시 중지'
          : code === 'application_paused'
            ? '애플리케이션 일시 중지'
            : '엔드포인트 일시 중지',
    held,
    heldNote: (why, format, now) =>
      `메시지는 접수되어 보류됩니다${why.heldUntil ? `(가장 이른 것은 ${format.moment(why.heldUntil, now)}까지)` : ''}. ${why.code.startsWith('disabled') ? '활성화하면 나갑니다.' : '다시 시작하면 나갑니다.'}`,
    deliveredAgain: (firstMs, timesMore, format) =>
      `**접수 후 ${format.duration(firstMs)} 만에 전달되었습니다.** 그 뒤로 ${num(timesMore)}번 더 전달했습니다.`,
    delivery: (delivery, acceptedAt, format, now, isAgain) => {
      const { why } = delivery;
      const ahead = why.ahead && why.ahead.count > 0 ? ` 앞에 ${many(why.ahead, '건')}이 있습니다.` : '';
      if (delivery.state === 'delivered') return arrived(delivery, acceptedAt, format, isAgain);
      if (delivery.state === 'in_flight' || delivery.state === 'waiting') return waits(delivery, format, now);
      if (delivery.state === 'held')
        return `**${held(why, format, now)}.** 끝나면 나갑니다.${ahead}${why.heldUntil ? ` 늦어도 ${format.moment(why.heldUntil, now)}까지 보류합니다.` : ''}`;
      if (delivery.state === 'cancelled') return `**${why.by ? `${why.by}에 의해 ` : ''}취소되었습니다.**`;
      if (why.code === 'discarded')
        return `**${why.by ? `${why.by}에 의해 ` : ''}폐기되었습니다.**${why.at ? ` ${format.moment(why.at, now)}.` : ''}`;
      const reason =
        why.code === 'exhausted' ? `시도 ${delivery.attemptsMade}회 모두 실패` : (reasons[why.code] ?? why.code);
      return `**${reason}.** ${why.at ? `${format.moment(why.at, now)}부터 ` : ''}데드 레터입니다. 마지막 응답: ${answer(delivery.lastStatusCode, delivery.lastFailure)}.`;
    },
  },
  life: {
    now: (clock) => `${clock} 현재`,
    accepted: (clock) => `${clock} 접수`,
    summary: (delivery, format, now, isAgain) => {
      if (delivery.state === 'delivered') return onAttempt(delivery, isAgain);
      if (delivery.state === 'waiting')
        return `${delivery.attemptsPlanned}회 중 ${delivery.attemptsMade}회${delivery.nextAttemptAt ? `, 다음 ${format.moment(delivery.nextAttemptAt, now)}` : ''}`;
      if (delivery.state === 'held')
        return delivery.attemptsMade === 0 ? '시도 없음' : `${delivery.attemptsMade}회 시도`;
      if (delivery.state === 'dead') return reasons[delivery.why.code] ?? '';
      return '';
    },
    noAttempt: '시도하지 않았습니다.',
    noAttemptYet: '아직 시도하지 않았습니다.',
    attempt: (number) => `${number}번째 시도`,
    took: (span, after, isManual) => [span, after && `${after} 뒤`, isManual && '수동'].filter(Boolean).join(' · '),
    next: (number) => `다음은 ${number}번째 시도`,
    later: (times) => (times.length === 0 ? '그 뒤에는 데드 레터' : `이후 약 ${times.join(', ')}, 그 뒤에는 데드 레터`),
    timing: {
      resolve: (span) => `DNS ${span}`,
      connect: (span) => `연결 ${span}`,
      tls: (span) => `TLS ${span}`,
      firstByte: (span) => `응답 대기 ${span}`,
    },
  },
  deadLetters: {
    title: '데드 레터',
    one: '데드 레터',
    headline: (open) => (isNone(open) ? '미처리 데드 레터가 없습니다' : `미처리 데드 레터 ${many(open, '건')}`),
    summary: (endpoints, fresh) =>
      endpoints === 0
        ? '재전송하거나 폐기할 것이 없습니다.'
        : `엔드포인트 ${many(endpoints, '개')}에서 놓쳤습니다. 재전송하거나 폐기할 때까지 보관합니다. 최근 24시간에 ${many(fresh, '건')}이 들어왔습니다.`,
    none: '데드 레터가 없습니다',
    noneNote:
      '마지막 시도가 실패했거나 성공할 수 없는 전송이 여기로 옵니다. 수신자가 회복되면 여기에서 재전송할 수 있습니다.',
    by: '정렬',
    byEndpoint: '엔드포인트별',
    byTime: '시간순',
    reason: '이유',
    reasons: reasons as Traffic['deadLetters']['reasons'],
    reasonOf: (reason, attempts) =>
      reason === 'exhausted' ? `시도 ${attempts}회 모두 실패` : (reasons[reason] ?? reason),
    explain: (reason) =>
      ({
        exhausted: '일정의 모든 시도를 했지만 2xx 응답이 없었습니다.',
        gone: '수신자가 410 Gone으로 응답했습니다. 더 받지 않겠다는 뜻입니다.',
        unsendable: '엔드포인트의 URL과 헤더로는 요청을 만들 수 없습니다. 고친 다음 재전송하십시오.',
        hold_expired: '엔드포인트가 보류 한도보다 오래 일시 중지되거나 비활성 상태였습니다.',
        endpoint_deleted:
          '기다리는 동안 엔드포인트가 삭제되었습니다. 같은 애플리케이션의 다른 엔드포인트로 보낼 수 있습니다.',
        unrecordable: '데이터베이스가 마지막 시도의 결과를 거부하여, 전달되었는지 알 수 없습니다.',
        not_retryable: '엔드포인트가 재시도하지 않기로 한 실패입니다(retryOn).',
      })[reason] ?? '',
    states: { open: '미처리', replayed: '재전송됨', discarded: '폐기됨' },
    lastStatus: '마지막 상태 코드',
    lastAnswer: '마지막 응답',
    last: (what) => `마지막: ${what}`,
    died: '발생',
    running: '재전송 중',
    endpointAndWhy: '엔드포인트와 이유',
    countDied: '건수, 발생 시각',
    selectAll: '모두 선택',
    selectGroup: (application, url) => `${application}, ${url} 모두 선택`,
    showOthers: (count) => `${many(count, '건')} 더 보기`,
    asList: '목록으로 열기',
    selection: '선택',
    selected: (count) => `${many(count, '건')} 선택됨`,
    clear: '선택 해제',
    replay: '재전송…',
    discard: '폐기…',
    replayAll: '모두 재전송…',
    replayMatching: '필터에 맞는 것 모두 재전송…',
    allOpen: '미처리 전체',
    allMatching: '필터에 맞는 것 전체',
    replayed: '보내고 있습니다.',
    replayOne: '이 데드 레터 재전송',
    replayNow: '재전송',
    replayOneText: '놓친 엔드포인트로 같은 webhook-id로 보내며, 시도 일정이 처음부터 다시 시작됩니다.',
    discardOne: '이 데드 레터 폐기',
    discardNow: '폐기',
    discardOneText: '보내지 않습니다. 보존 기간이 끝날 때까지는 재전송할 수 있습니다.',
    lastAttempts: '마지막 시도',
    noAttempts: '시도 없이 데드 레터가 되었거나, 시도의 보존 기간이 지났습니다.',
    panelCounting: '세는 중',
    panelTitle: (act, found) => `데드 레터 ${many(found, '건')} ${act === 'replay' ? '재전송' : '폐기'}`,
    panelRunning: (act) => (act === 'replay' ? '재전송' : '폐기'),
    panelAct: (act, found) => `${many(found, '건')} ${act === 'replay' ? '재전송' : '폐기'}`,
    goesOn: '닫아도 계속 진행됩니다.',
    willGo: (act) => (act === 'replay' ? '보낼 것' : '폐기할 것'),
    skipped: '건너뜀',
    skippedWhy: (reason, count) =>
      `${{ endpoint_deleted: '엔드포인트 삭제됨', payload_expunged: '페이로드 삭제됨', already_delivered: '이미 전달됨' }[reason] ?? reason} ${many(count, '건')}`,
    takes: '예상 시간',
    whatGoes: '내용',
    ofTheFirst: (count) => `처음 ${many(count, '건')} 기준`,
    rate: '속도',
    upToLimit: (limit) => `엔드포인트 한도 ${limit}까지`,
    aSecond: '건/초',
    oldestFirst: '가장 오래된 것을 먼저 보내기',
    oldestFirstNote: '2xx로 응답할 때만 계속합니다.',
    note: '감사 로그 메모(선택)',
    discardNote: '이유(감사 로그에 남음)',
  },
  condition: {
    title: (condition, name) =>
      `${name}: ${{ answers: '받을 수 있습니다', fails: '아직 실패합니다', silent: '최근에 보낸 것이 없습니다', disabled: '비활성 상태입니다', paused: '일시 중지되어 있습니다', deleted: '삭제되었습니다' }[condition]}`,
    text: (target, format, now) => {
      if (target.condition === 'answers')
        return [
          `2xx로 응답합니다${target.successesSince ? `(${format.moment(target.successesSince, now)} 이후 실패 없음)` : ''}.`,
          target.p95Ms !== null && `p95 ${format.duration(target.p95Ms)}.`,
        ]
          .filter(Boolean)
          .join(' ');
      if (target.condition === 'fails')
        return `마지막 응답: ${answer(target.lastStatusCode, target.lastFailure)}.${target.lastSuccessAt ? ` 마지막 2xx는 ${format.ago(target.lastSuccessAt, now)}.` : ''} 다시 실패할 것입니다.`;
      if (target.condition === 'silent') return '응답하는지 알 수 없습니다. 가장 오래된 것을 먼저 보내십시오.';
      if (target.condition === 'deleted') return '이 엔드포인트의 것은 건너뜁니다.';
      return '다시 시작될 때까지 보류됩니다.';
    },
  },
  task: {
    task: '작업',
    note: '요청 하나보다 오래 걸리는 일: 재전송, 복구, 삭제, 집계.',
    what: '작업',
    none: '백그라운드 작업이 없습니다',
    noneNote: '여러 건의 재전송, 복구, 삭제가 진행 상황과 함께 여기에 표시됩니다.',
    kinds: (kind) =>
      ({
        'dead_letter.replay': '데드 레터 재전송',
        'dead_letter.discard': '데드 레터 폐기',
        'endpoint.recover': '엔드포인트 복구',
        'endpoint.replay_missing': '보낸 적 없는 것 보내기',
        'endpoint.bulk_replay': '엔드포인트로 재전송',
        'endpoint.cancel_waiting': '대기 중인 전송 취소',
        'application.purge_content': '페이로드 삭제',
        'application.erase': '애플리케이션 완전 삭제',
        'message.erase': '메시지 완전 삭제',
        'tag.erase': '태그 완전 삭제',
        'application.usage': '사용량 집계',
        'event_type.usage': '이벤트 유형 집계',
      })[kind] ?? kind,
    status: (status, isCanceled) =>
      isCanceled ? '중지됨' : ({ running: '진행 중', finished: '완료', failed: '실패' }[status] ?? status),
    title: (kind, status, isCanceled) => {
      const name = traffic.task.kinds(kind);
      return status === 'running' ? name : `${name}: ${traffic.task.status(status, isCanceled)}`;
    },
    progress: (task, format) => {
      const { done, total, delivered, failedAgain } = task.progress;
      const rate = task.data.ratePerSecond;
      const isCounting = task.status === 'running' && total === 0;
      return [
        isCounting ? '세는 중' : `${num(total)}건 중 ${num(done)}건`,
        delivered ? `전달 ${many(delivered, '건')}` : null,
        failedAgain ? `다시 실패 ${many(failedAgain, '건')}` : null,
        task.status === 'running' && rate && !isCounting
          ? `${format.duration(((total - done) / rate) * 1000)} 남음`
          : null,
        rate ? `초당 ${num(rate)}건` : null,
      ]
        .filter(Boolean)
        .join(' · ');
    },
    progressLabel: '진행',
    done: '완료',
    failed: '실패했습니다',
    error: (error) =>
      error === 'first_was_refused' ? '가장 오래된 것이 2xx로 응답받지 못하여 나머지는 그대로 두었습니다.' : error,
    delivered: '전달됨',
    failedAgain: '다시 실패',
    asked: '요청한 내용',
    everything: '전체',
    conditions: {
      ids: '선택한 것',
      appId: '애플리케이션',
      appIds: '애플리케이션',
      endpointId: '엔드포인트',
      toEndpointId: '보낼 엔드포인트',
      eventType: '이벤트 유형',
      eventTypes: '이벤트 유형',
      channel: '채널',
      tag: '태그',
      tagHash: '태그(SHA-256)',
      msgId: '메시지',
      reason: '이유',
      state: '상태',
      status: '전송 상태',
      statusCode: '마지막 상태 코드',
      statusCodeClass: '마지막 응답',
      since: '시작',
      until: '끝',
      oldestFirst: '가장 오래된 것 먼저',
    },
    standings: {
      0: '전달됨',
      1: '첫 시도 대기 중',
      2: '최종 실패',
      3: '재시도 대기 중',
      4: '취소됨',
    },
    rate: '속도',
    stop: '중지',
  },
};
