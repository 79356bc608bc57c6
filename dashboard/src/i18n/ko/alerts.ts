// Alert rules and the channels over which people are told.
import type { AlertCondition, ChannelProblem } from '../../api/types';
import type { Messages } from '../en';
import type { Format } from '../format';
import { answer } from './answers';
import { many } from './words';

type Alerts = Pick<Messages, keyof typeof import('../en/alerts').alerts>;

/** Complete in themselves: what else is known would say it again. */
const problems: Partial<Record<ChannelProblem['code'], string>> = {
  target_sealed: '이 서버의 메인 시크릿으로 주소를 열 수 없습니다. 다시 입력하십시오.',
  no_mail_server: '메일 서버가 설정되어 있지 않습니다. Postrider 운영자가 smtp_url과 smtp_from을 설정해야 합니다.',
  no_operational_endpoint: '운영 웹훅이 아직 없습니다. 먼저 추가하십시오.',
};

/** Of these the rest is told by the detail. */
const failures: Partial<Record<ChannelProblem['code'], string>> = {
  mail_not_taken: '메일 서버가 받지 않았습니다',
  not_posted: '운영 웹훅에 접수되지 않았습니다',
  unknown: '',
};

function sentence(condition: AlertCondition, { duration }: Format): string {
  const time = duration(condition.minutes * 60_000);
  switch (condition.kind) {
    case 'dead_letters':
      return `최근 ${time} 동안 데드 레터가 ${many(condition.count, '건')} 이상일 때`;
    case 'failure_share':
      return `최근 ${time} 동안 시도(${many(condition.attempts, '회')} 이상)의 ${condition.percent} % 넘게 실패할 때`;
    case 'queue_age':
      return `활성 엔드포인트로 갈 전송이 ${time} 넘게 밀려 있을 때`;
    case 'endpoint_disabled':
      return `최근 ${time} 안에 응답 때문에 비활성화된 엔드포인트가 있을 때`;
    case 'incident_open':
      return `확인되지 않은 인시던트가 ${time} 이상 계속될 때`;
    case 'nothing_accepted':
      return `${time} 동안 접수된 메시지가 없을 때`;
  }
}

/** As they are named when nobody has renamed them. */
const firstRules: Record<string, string> = {
  'Dead letters': '데드 레터',
  'Many attempts fail': '많은 시도가 실패',
};

export const alerts: Alerts = {
  alerts: {
    title: '알림',
    note: '규칙이 이 환경을 지켜보고, 아래 채널로 알립니다.',
    rules: '규칙',
    rulesNote: '조건이 충족되기 시작하면 한 번, 해소되면 한 번 알립니다',
    rule: '규칙',
    createRule: '새 규칙',
    editRule: '규칙 편집',
    firesWhen: '조건',
    severity: '심각도',
    severities: { info: '정보', warning: '경고', critical: '심각' },
    lastAlert: '마지막 알림',
    never: '없음',
    firingFor: (span) => `${span} 동안 발생 중`,
    quiet: '정상',
    off: '꺼짐',
    turnOn: '켜기',
    turnOff: '끄기',
    nameNote: '알림의 제목으로 쓰입니다.',
    ruleName: (name) => firstRules[name] ?? name,
    condition: sentence,
    conditionKinds: {
      dead_letters: '데드 레터 발생',
      failure_share: '시도 실패율',
      queue_age: '전송 지연',
      endpoint_disabled: '응답 때문에 비활성화된 엔드포인트',
      incident_open: '확인되지 않은 인시던트',
      nothing_accepted: '메시지 접수 없음',
    },
    fields: {
      count: '데드 레터(건 이상)',
      percent: '실패율(% 초과)',
      attempts: '최소 시도(회)',
      minutes: '시간(분)',
    },
    recover: '해소까지(분)',
    recoverNote: '이 시간 동안 조건이 충족되지 않으면 해소된 것으로 보고 알립니다.',
    suppress: '다시 알리지 않는 시간(분)',
    suppressNote: '알린 뒤 이 시간 동안은 이 규칙으로 다시 알리지 않습니다. 0이면 바로 다시 알립니다.',
    isOn: '규칙 사용',
    beginsAnew: '저장하면 규칙이 처음부터 다시 시작되며, 조건이 여전히 충족되면 다시 알립니다.',
    deleteTitle: (name) => `${name} 삭제`,
    deleteRuleText: '더는 이 일을 알리지 않습니다. 되돌릴 수 없습니다.',
    deleteChannelText: '아직 보내지 못한 알림을 포함하여, 이 채널로는 더 보내지 않습니다. 되돌릴 수 없습니다.',
    noRules: '알림 규칙이 없습니다',
    noRulesNote: '데드 레터, 실패한 시도, 밀린 전송, 메시지가 들어오지 않는 상황을 규칙으로 알 수 있습니다.',
    unheard: '알림을 받을 곳이 없습니다',
    unheardNote: '규칙은 동작하지만 알림을 보낼 채널이 없습니다.',
    channels: '채널',
    channelsNote: '알림은 그 심각도를 받는 모든 채널로 보냅니다',
    channel: '채널',
    createChannel: '채널 추가',
    editChannel: '채널 편집',
    channelNameNote: '누구에게 알리는지 적습니다. 예: “당직”.',
    over: '방법',
    channelKinds: {
      operational: '운영 웹훅',
      slack: 'Slack 또는 같은 형식을 받는 채팅',
      teams: 'Microsoft Teams',
      email: '이메일',
    },
    shortKinds: { operational: '운영 웹훅', slack: 'Slack', teams: 'Teams', email: '이메일' },
    takes: '받는 심각도',
    takesFrom: { info: '전체', warning: '경고, 심각', critical: '심각만' },
    lastSent: '마지막 전송',
    nothingSent: '아직 없음',
    sent: '전송됨',
    failed: '실패',
    problem: (problem) => {
      const { code, statusCode, detail } = problem;
      return problems[code] ?? [failures[code] ?? answer(statusCode, code), detail].filter(Boolean).join(': ');
    },
    test: '테스트 보내기',
    tested: (name) => `${name} 채널로 테스트를 보냈습니다.`,
    testFailed: (name) => `${name} 채널로 테스트를 보내지 못했습니다.`,
    target: { slack: '수신 웹훅', teams: '워크플로 웹훅', email: '주소' },
    targetNote: {
      slack: 'Slack에서 받은 URL입니다. 암호화되어 보관되며 표시되지 않습니다.',
      teams: '“웹후크 요청을 받은 경우” 워크플로의 URL입니다. 암호화되어 보관되며 표시되지 않습니다.',
      email: '쉼표로 구분합니다. 암호화되어 보관되며 표시되지 않습니다.',
    },
    targetKept: '비워 두면 그대로 유지됩니다. 표시되지 않습니다.',
    operationalNote: 'alert.fired와 alert.recovered로, 다른 웹훅처럼 서명과 재시도를 거쳐 전송됩니다.',
    noChannels: '채널이 아직 없습니다',
    noChannelsNote: '채팅, 이메일, 또는 웹훅을 통한 자체 시스템. 채널마다 테스트를 보내 볼 수 있습니다.',
  },
};
