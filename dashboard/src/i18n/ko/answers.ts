// What a receiver answered, or why there was no answer. Reason phrases stay as they are in the protocol.
import { phrases } from '../en/answers';

const failures: Record<string, string> = {
  status: '2xx가 아닌 응답',
  redirect: '리디렉션(따르지 않음)',
  gone: 'Gone',
  overloaded: '과부하',
  timeout: '시간 안에 응답 없음',
  dns: '이름을 찾을 수 없음',
  egress_refused: '허용되지 않은 주소',
  connection: '연결 실패',
  tls: 'TLS 실패',
  unsendable: '요청을 만들 수 없음',
};

export function answer(status: number | null | undefined, failure: string | null | undefined): string {
  if (status) return [status, phrases[status]].filter(Boolean).join(' ');
  if (!failure) return '–';
  return failures[failure] ?? failure.replaceAll('_', ' ');
}
