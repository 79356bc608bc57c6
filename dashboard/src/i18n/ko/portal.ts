// The portal, and the checks of an endpoint.
import type { Messages } from '../en';
import { wasTaken } from '../en/portal';
import { answer } from './answers';
import { num } from './words';

type Portal = Pick<Messages, keyof typeof import('../en/portal').portal>;

export const portal: Portal = {
  portal: {
    webhooks: '웹훅',
    support: '지원',
    endpoints: '엔드포인트',
    yours: '내 엔드포인트',
    add: '엔드포인트 추가',
    mayNotAdd: '이 링크로는 엔드포인트를 추가할 수 없습니다',
    mayNotAddNote: '링크를 받은 곳에 다른 링크를 요청하십시오.',
    none: '엔드포인트가 아직 없습니다',
    noneNote: 'URL을 알려 주면 그곳으로 이벤트를 보냅니다. 5분이면 됩니다.',
    loading: '불러오는 중',
    over: '링크가 만료되었습니다',
    overNote: '이 페이지의 링크는 일정 기간만 유효합니다. 받은 곳에 새 링크를 요청하십시오.',
    noLink: '링크가 필요합니다',
    noLinkNote: '이벤트를 보내는 서비스에서 받은 링크로 이 페이지를 열 수 있습니다.',
    newLink: '새 링크 받기',
    steps: ['URL', '이벤트 유형', '테스트', '완료'],
    stepNotes: { url: '이벤트를 보낼 곳', types: '받을 이벤트', test: '네 가지 확인', done: '수신 시작' },
    checksPassed: (passed) => `4개 중 ${num(passed)}개 통과`,
    allTypes: '모든 이벤트 유형',
    someTypes: (count) => `${num(count)}개 선택`,
    next: '다음',
    back: '이전',
    finish: '수신 시작',
    finishAnyway: '확인 없이 완료',
    change: '엔드포인트 수정',
    urlLabel: '내 URL',
    urlNote: 'POST 요청을 받는 서버의 https 주소입니다.',
    inbox: '아직 서버가 없습니까? 테스트 수신함 사용하기',
    inboxNote: '받은 요청을 하루 동안 보관하는 URL입니다.',
    chooseAll: '전체, 앞으로 추가되는 것도 포함',
    chooseSome: '선택한 것만',
    created: '엔드포인트가 추가되었습니다. 완료하면 수신을 시작합니다.',
    doneTitle: '수신을 시작했습니다',
    doneText: '이제부터 이벤트가 엔드포인트로 전송됩니다.',
    open: '엔드포인트 열기',
    secret: '내 시크릿',
    secretNote: '서버에만 보관하십시오. 언제든지 교체할 수 있으며, 이전 시크릿도 24시간 동안 함께 서명합니다.',
    snippet: '서명 확인',
    snippetNote: (isTested) =>
      `파싱하기 전의 원본 본문을 쓰십시오.${isTested ? '' : ' 이 코드는 테스트에서 실행되지 않습니다.'}`,
    inboxTitle: '테스트 수신함',
    inboxKept: '최근 3건, 하루 동안 보관',
    inboxEmptyNote: '테스트를 실행하거나 메시지를 보내면 수신함에 도착한 것이 몇 초 안에 표시됩니다.',
    inboxEmpty: '아직 도착한 것이 없습니다',
    verified: '서명이 맞습니다',
    unverified: '서명이 맞지 않아 거부됨',
  },
  check: {
    title: '이 엔드포인트 테스트',
    note: '올바른 요청, 서명이 틀린 요청, 오래된 요청을 하나씩 보냅니다. 서명을 확인하는 수신자는 첫째만 수락하고 나머지는 거부합니다.',
    payload: '보낼 내용',
    plain: '테스트 이벤트',
    run: '테스트 실행',
    again: '테스트 다시 실행',
    running: '테스트를 실행하고 있습니다.',
    sendExample: '실제 메시지로 보내기',
    exampleSent: '메시지로 접수되어 전송하고 있습니다.',
    sentAndAnswered: '보낸 요청과 받은 응답',
    kinds: { reached: '연결', genuine: '정상', forged: '위조', old: '오래됨' },
    titles: {
      reached: '서버에 연결됩니다',
      genuine: '올바른 요청을 수락합니다',
      forged: '위조된 요청을 거부합니다',
      old: '오래된 요청을 거부합니다',
    },
    expects: {
      reached: '이름, 주소, TLS, 인증서.',
      genuine: '이 엔드포인트의 시크릿으로 서명: 2xx여야 합니다.',
      forged: '틀린 시크릿으로 서명: 4xx여야 합니다.',
      old: '올바르지만 10분 전 요청: 4xx여야 합니다.',
    },
    result: (check, format) => {
      const took = check.durationMs === null ? '' : format.duration(check.durationMs);
      if (check.passed === null) return '시도하지 않음';
      if (check.kind === 'reached') return check.passed ? took : answer(check.statusCode, check.failure);
      const got = answer(check.statusCode, check.failure);
      if (check.passed) return `${got} · ${took}`;
      return `${got} · ${check.kind === 'genuine' ? '2xx' : '4xx'}여야 합니다`;
    },
    explain: (check, format) => {
      if (check.passed === null) return '연결되지 않아 시도하지 않았습니다.';
      if (check.kind === 'reached') {
        if (!check.passed) return check.detail ?? '연결할 수 없었습니다.';
        return [
          check.address,
          check.tlsVersion,
          check.certificateExpiresAt && `인증서는 ${format.day(check.certificateExpiresAt)}까지 유효`,
        ]
          .filter(Boolean)
          .join(' · ');
      }
      if (check.kind === 'genuine') {
        if (check.passed) return '이 엔드포인트의 시크릿으로 서명해 방금 보냈습니다.';
        if (check.detail) return check.detail;
        return check.failure === 'redirect'
          ? '리디렉션은 따르지 않습니다. URL을 이동할 주소로 바꾸십시오.'
          : '서명은 올바릅니다. 아래에서 서버의 응답을 확인하십시오.';
      }
      if (!check.passed && !wasTaken(check))
        return '수락하지는 않았지만 거부한 것도 아닙니다. 401 같은 4xx로 응답하십시오. 그 밖의 응답은 서버의 장애로 봅니다.';
      if (check.kind === 'forged')
        return check.passed
          ? '틀린 시크릿으로 서명한 요청을 거부했습니다.'
          : '틀린 시크릿으로 서명한 요청인데 수락했습니다. 아직 서명을 확인하지 않고 있습니다. URL만 알면 누구나 이벤트를 보낼 수 있는 상태입니다.';
      return check.passed
        ? '10분 전 요청을 거부했습니다.'
        : '서명은 맞지만 10분 전 타임스탬프입니다. 타임스탬프도 확인하지 않으면 복사된 요청이 다시 쓰일 수 있습니다.';
    },
  },
  explain: {
    title: '서명 값이 다르게 나옵니까?',
    paste: '내 코드가 계산한 값을 붙여 넣으십시오',
    pasteNote: (id) => `위의 정상 요청 ${id}에 대한 값입니다.`,
    submit: '설명 보기',
    verdicts: {
      matches: ['맞습니다', '보낸 서명과 같습니다. 헤더와는 일정 시간 비교로 비교하십시오.'],
      reserialized_body: [
        '시크릿은 맞지만 본문이 다릅니다',
        'JSON을 파싱하고 다시 출력한 값에 서명했습니다. 받은 요청 본문을 그대로 쓰십시오.',
      ],
      previous_secret: [
        '이전 시크릿입니다',
        '지금은 맞습니다. 교체된 시크릿도 유예 기간에는 함께 서명합니다. 현재 시크릿을 쓰십시오.',
      ],
      secret_not_decoded: [
        '시크릿을 디코딩하지 않았습니다',
        'whsec_ 뒤는 Base64입니다. 디코딩한 바이트를 키로 쓰십시오.',
      ],
      prefix_not_removed: ['접두사까지 디코딩했습니다', '디코딩하기 전에 whsec_를 제거하십시오.'],
      encoded_twice: ['두 번 인코딩했습니다', '서명을 Base64로 두 번 인코딩했습니다.'],
      hex_not_base64: ['Base64가 아니라 16진수입니다', '바이트는 맞습니다. Base64로 쓰십시오.'],
      body_encoded_anew: [
        '시크릿은 맞지만 본문이 다릅니다',
        '본문을 Latin-1로 읽고 다시 인코딩했습니다. 원본 바이트를 쓰십시오.',
      ],
      only_body: ['본문에만 서명했습니다', '서명할 텍스트는 id.timestamp.body입니다.'],
      missing_dots: ['점이 빠졌습니다', '서명할 텍스트는 점을 포함한 id.timestamp.body입니다.'],
      other_id: ['다른 ID입니다', 'webhook-id를 그대로 쓰십시오.'],
      other_timestamp: ['다른 타임스탬프입니다', '현재 시각이 아니라 webhook-timestamp를 그대로 쓰십시오.'],
      hex_in_base64: ['Base64 안에 16진수가 있습니다', '16진수 문자열이 아니라 바이트 자체를 Base64로 쓰십시오.'],
      url_safe_base64: ['URL용 Base64입니다', '패딩이 있는 표준 알파벳을 쓰십시오.'],
      missing_id: ['ID가 빠졌습니다', '서명할 텍스트는 id.timestamp.body이며, webhook-id가 먼저 옵니다.'],
      missing_timestamp: ['타임스탬프가 빠졌습니다', '서명할 텍스트는 id.timestamp.body입니다.'],
      timestamp_in_ms: ['타임스탬프가 밀리초입니다', 'webhook-timestamp를 그대로 쓰십시오. 초 단위입니다.'],
      wrong_order: ['순서가 다릅니다', '서명할 텍스트는 id.timestamp.body이며 이 순서여야 합니다.'],
      body_with_newline: ['줄바꿈이 더 있습니다', '본문에 줄바꿈이 붙었습니다. 원본 바이트를 쓰십시오.'],
      other_hash: ['다른 해시입니다', 'HMAC-SHA256을 쓰십시오.'],
      expired_secret: ['만료된 시크릿입니다', '유예 기간이 끝난 시크릿으로 만든 값입니다.'],
      unknown: [
        '흔한 실수가 아닙니다',
        '서명할 텍스트 id.timestamp.body를 바이트 단위로, 그리고 시크릿을 비교해 보십시오.',
      ],
    },
  },
};
