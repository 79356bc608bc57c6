// The overview: headline, incidents, figures.
import type { Messages } from '../en';
import { known } from '../en/answers';
import { answer } from './answers';
import { many, num, particle } from './words';

type Overview = Pick<Messages, keyof typeof import('../en/overview').overview>;

export const overview: Overview = {
  overview: {
    failed: '개요를 불러오지 못했습니다',
    localTime: (time) => `${time} · 현지 시간`,
    pauseAll: '전체 일시 중지…',
    pauseTitle: '모든 환경의 전송을 일시 중지',
    pauseAct: '전체 일시 중지',
    pauseText: (inFlight) =>
      `다시 시작할 때까지 아무것도 나가지 않습니다. 그동안 메시지는 계속 접수되어 보관되며, 데드 레터가 되지 않습니다.${inFlight > 0 ? ` 이미 나간 요청 ${many(inFlight, '건')}은 끝까지 처리됩니다.` : ''}`,
    pausedNow: '전체가 일시 중지되었습니다.',
    paused: (by) => (by ? `${by}에 의해 전체가 일시 중지되었습니다` : '전체가 일시 중지되었습니다'),
    pausedNote: (since) => `${since}부터. 메시지는 접수되어 보관되며, 다시 시작하면 나갑니다.`,
    resume: '전체 다시 시작',
    incidents: '인시던트',
    asOfNow: '대기, 보류, 데드 레터는 현재 기준',
    last: { '1h': '최근 1시간', '3h': '최근 3시간', '24h': '최근 24시간', '7d': '최근 7일', '30d': '최근 30일' },
    nodes: '노드',
  },
  headline: {
    going: (going, format) => {
      if (going.kind === 'paused')
        return `${format.moment(going.since)}부터 ${going.by ? `${going.by}에 의해 ` : ''}일시 중지되어 있습니다.`;
      if (going.kind === 'silent')
        return going.since ? `${format.moment(going.since)} 이후로 나간 전송이 없습니다.` : '나가는 전송이 없습니다.';
      if (going.kind === 'slow')
        return `전송이 느립니다. 스무 건 중 한 건은 ${format.duration(going.p95Ms)} 늦게 시작합니다.`;
      if (going.kind === 'idle') return '이 기간에 접수된 메시지가 없습니다.';
      return '전송이 나가고 있습니다.';
    },
    well: '모두 정상입니다. 필요 이상으로 기다리는 것이 없습니다.',
    wrong: ({ stoppedNodes, nodes, isOverdue, receivers }) => {
      const parts: string[] = [];
      if (stoppedNodes > 0) parts.push(`노드 ${num(nodes)}개 중 ${num(stoppedNodes)}개가 멈췄습니다.`);
      if (isOverdue) parts.push('일부 전송이 지연되고 있습니다.');
      if (receivers > 0) parts.push(`수신자 ${num(receivers)}곳이 실패하고 있습니다.`);
      return parts.join(' ');
    },
    safe: ({ waiting, held, usualMs }, format) => {
      const rest = [waiting.count > 0 && `대기 ${many(waiting, '건')}`, held.count > 0 && `보류 ${many(held, '건')}`]
        .filter(Boolean)
        .join(', ');
      return [
        '**잃은 것은 없습니다.**',
        rest && `${rest}.`,
        usualMs !== null && `전송의 절반은 ${format.duration(usualMs)} 안에 도착합니다.`,
      ]
        .filter(Boolean)
        .join(' ');
    },
  },
  incident: {
    bands: { now: '지금 확인 필요', later: '아침까지 기다려도 됨' },
    ours: '우리 쪽',
    receiver: '수신자',
    acknowledge: '확인함',
    takeBack: '확인 취소',
    seen: (by, at) => `${by ? `${by}, ` : ''}${at} 확인`,
    open: (incident) => (incident.kind === 'node_stopped' ? '노드 열기' : '대기열 열기'),
    title: (incident, endpoint) => {
      if (incident.kind === 'node_stopped') return `노드 ${particle(incident.nodeName ?? '', '이', '가')} 멈췄습니다`;
      if (incident.kind === 'dispatching_paused') return '모든 전송이 일시 중지되었습니다';
      if (incident.kind === 'overdue') return '전송이 지연되고 있습니다';
      return [incident.appName, endpoint].filter(Boolean).join(' · ');
    },
    what: (incident, format, now) => {
      const since = `${format.moment(incident.since, now)}부터 ${format.duration(now - new Date(incident.since).getTime())}`;
      const waiting = incident.waiting && incident.waiting.count > 0 && `대기 ${many(incident.waiting, '건')}`;
      const held =
        incident.held &&
        incident.held.count > 0 &&
        `보류 ${many(incident.held, '건')}${incident.heldUntil ? `(${format.moment(incident.heldUntil, now)}까지)` : ''}`;
      const beyond = known(incident.lastStatusCode, incident.lastFailure, incident.lastError);
      const said = beyond && `마지막: ${beyond}`;
      const first = {
        node_stopped: `${since} 하트비트 없음${incident.takenOverBy ? ` · ${incident.takenOverBy}에서 작업을 이어받음` : ''}`,
        dispatching_paused: `${since} 일시 중지`,
        overdue: `${since} 보낼 때가 지남`,
        endpoint_failing: `${since} ${answer(incident.lastStatusCode, incident.lastFailure)}`,
        endpoint_disabled:
          incident.disabledReason === 'gone' ? `410 Gone 응답으로 ${since} 비활성` : `여러 날 실패하여 ${since} 비활성`,
      }[incident.kind];
      return [first, waiting, held, said].filter(Boolean).join(' · ');
    },
    todo: (incident) => {
      if (incident.kind === 'node_stopped')
        return `**${particle(incident.nodeName ?? '', '을', '를')} 다시 시작하십시오.** 그동안 다른 노드가 작업을 맡습니다.`;
      if (incident.kind === 'dispatching_paused') return '중지한 까닭이 해소되면 **다시 시작하십시오**.';
      if (incident.kind === 'overdue')
        return '**대기열을 확인하십시오.** 노드가 부족하거나 하나가 멈춘 상태일 수 있습니다.';
      if (incident.kind === 'endpoint_disabled')
        return `**${incident.appName}에** 작동하는 URL을 **요청하십시오.** 활성화하면 보류된 것이 나갑니다.`;
      if (incident.diedLastHour > 0)
        return `**${incident.appName}에 알리십시오.** 지난 한 시간에 ${many(incident.diedLastHour, '건')}이 데드 레터가 되었습니다. 응답이 돌아오면 재전송하십시오.`;
      return '**할 일 없음.** 일정대로 재시도하며, 수신자가 2xx로 응답하면 저절로 나갑니다.';
    },
    chart: (incident, span) =>
      `${{ node_stopped: '전송', dispatching_paused: '전송', overdue: '전송', endpoint_failing: '실패', endpoint_disabled: '보류' }[incident.kind]}, 최근 ${span}`,
  },
  figures: {
    accepted: '접수',
    failedAttempts: '실패한 시도',
    deadLetters: '데드 레터',
    rates: (usual, now) => `${usual}, 현재 ${now}`,
    of: (part, whole) => `${whole} 중 ${part}`,
    lastHour: (count) => `최근 한 시간 ${count}`,
    nextRetry: (span) => `다음 재시도까지 ${span}`,
    retryNow: '재시도할 차례',
    nothingWaits: '재시도를 기다리는 것 없음',
    atEndpoints: (count) => (count === 0 ? '보류 없음' : `엔드포인트 ${many(count, '개')}`),
    openNew: (count) => `미처리 · 새로 ${many(count, '건')}`,
    answered: '2xx 응답',
    oldest: (span) => `가장 오래된 것 ${span}`,
    notHeld: '중지도 비활성도 아님',
    newDead: (count) => (count === 0 ? '새로운 것 없음' : `새로 ${many(count, '건')}`),
    p95: '수신자 p95',
    half: (span) => `절반은 ${span} 안`,
  },
  latency: {
    title: '지연 시간',
    note: '접수 → 응답',
    part: '구간',
    endToEnd: '전체',
    receiver: '수신자: 요청에서 응답까지',
    own: '우리 쪽: 접수에서 전송까지',
    ofReceiver: '수신자',
  },
  underWay: {
    title: '진행 중인 것',
    now: '현재',
    state: '상태',
    deliveries: '전송',
    oldest: '가장 오래됨',
    why: '이유',
    kinds: {
      in_flight: '전송 중',
      due: '대기, 곧 전송',
      retry: '대기, 재시도',
      held_disabled: '보류, 비활성',
      held_paused: '보류, 중지',
      dead: '데드 레터',
    },
    requestsOut: '나가 있는 요청',
    aboutToGo: '곧 나감',
    others: (count) => `그 밖에 ${many(count, '곳')}`,
    nothing: '진행 중인 것이 없습니다',
    nothingNote: '전송 중이거나 대기, 보류된 것이 여기에 표시됩니다.',
    whatWaits: '기다리는 것과 그 이유',
    whyOf: (row, format) => {
      if (row.kind === 'in_flight') return row.endpoints === 1 ? '나가 있거나 차례를 기다리는 요청' : '나가 있는 요청';
      if (row.kind === 'due') return '차례대로 곧 나감';
      if (row.kind === 'retry')
        return row.nextAt
          ? `다음까지 ${format.duration(Math.max(0, new Date(row.nextAt).getTime() - Date.now()))}`
          : '일정대로';
      if (row.kind === 'held_disabled') return '엔드포인트를 활성화하면 나감';
      return '다시 시작하면 나감';
    },
  },
  worst: {
    title: '문제가 많은 엔드포인트',
    note: '최근 한 시간의 실패율 순, 작은 차트는 0~100 %',
    all: (count) => `엔드포인트 ${many(count, '개')} 모두`,
    last24h: '최근 24시간',
    failed: '실패',
    mostly: '마지막 실패',
    none: '실패하는 엔드포인트가 없습니다',
    noneNote: '최근 한 시간에 실패한 시도가 있는 엔드포인트가 여기에 표시됩니다.',
  },
  node: {
    node: '노드',
    heartbeat: '하트비트',
    ago: (span) => `${span} 전`,
    sent: '전송',
    perSecond: (count) => `초당 ${count}`,
    roles: '역할',
    states: { running: '실행 중', silent: '응답 없음', stopped: '멈춤' },
    up: (span) => `가동 ${span}`,
    takenOver: (by) => `${by}에서 작업을 이어받음`,
    note: '실행 중인 프로세스와, 테넌트와 엔드포인트별 대기열입니다.',
    byApplication: '애플리케이션별 대기열',
    byEndpoint: '엔드포인트별 대기열',
    queueNote: '가장 오래된 것부터',
    due: '보낼 차례',
    oldestDue: '가장 오래됨',
    empty: '대기열이 비어 있습니다',
    emptyNote: '재시도, 재전송, 보류된 것이 대기열에서 기다립니다. 순조로운 전송은 대기열에 들어가지 않습니다.',
  },
};
