// The portal, and the checks of an endpoint.
import type { Schemas } from '../../api/types';
import type { Format } from '../format';
import { answer } from './answers';
import { capital, num } from './words';

type Check = Schemas['CheckResultOut'];
type Verdict = Schemas['SignatureVerdict'];

/** Whether it was answered 2xx. */
export function wasTaken({ statusCode }: Pick<Check, 'statusCode'>): boolean {
  return statusCode !== null && statusCode >= 200 && statusCode < 300;
}

export const portal = {
  portal: {
    webhooks: 'Webhooks',
    support: 'Support',
    endpoints: 'Endpoints',
    yours: 'Your endpoints',
    add: 'Add an endpoint',
    mayNotAdd: 'This link does not allow adding endpoints',
    mayNotAddNote: 'Ask for another one where you got it.',
    none: 'No endpoints yet',
    noneNote: 'Tell us a URL, and events are sent there. It takes five minutes.',
    loading: 'Loading',
    over: 'This link is over',
    overNote: 'Links to this page hold for a time. Ask for a new one where you got it.',
    noLink: 'A link is needed',
    noLinkNote: 'This page opens by a link from the service whose events you receive.',
    newLink: 'Get a new link',
    steps: ['URL', 'Event types', 'Test', 'Done'],
    stepNotes: { url: 'Where events are sent', types: 'Which you want', test: 'Four checks', done: 'Start receiving' },
    checksPassed: (passed: number) => `${num(passed)} of 4 checks passed`,
    allTypes: 'All event types',
    someTypes: (count: number) => `${num(count)} chosen`,
    next: 'Next',
    back: 'Back',
    finish: 'Start receiving',
    finishAnyway: 'Finish without the check',
    change: 'Change the endpoint',
    urlLabel: 'Your URL',
    urlNote: 'An https address of your server that takes POST requests.',
    inbox: 'No server yet? Use a test inbox',
    inboxNote: 'It is a URL of ours that keeps for a day what it gets.',
    chooseAll: 'All, also those that come later',
    chooseSome: 'Only these',
    created: 'The endpoint is added. It receives once you finish.',
    doneTitle: 'You are receiving',
    doneText: 'From now on, events are sent to your endpoint.',
    open: 'Open the endpoint',
    secret: 'Your secret',
    secretNote: 'Keep it on your server. You can rotate it at any time; the old one signs along for 24 hours.',
    snippet: 'Check the signature',
    snippetNote: (isTested: boolean) =>
      `Use the raw body, before any parsing.${isTested ? '' : ' We do not run this one in our tests.'}`,
    inboxTitle: 'Test inbox',
    inboxKept: 'the latest three; kept for a day',
    inboxEmptyNote: 'Run a test, or post a message: what is delivered to the inbox shows here within seconds.',
    inboxEmpty: 'Nothing has arrived yet',
    verified: 'Signature holds',
    unverified: 'Refused, as the signature does not hold',
  },
  check: {
    title: 'Test this endpoint',
    note: 'Three requests are sent: a genuine one, one with a wrong signature, and an old one. A receiver that checks signatures takes the first and refuses the others.',
    payload: 'What is sent',
    plain: 'A test event',
    run: 'Run the test',
    again: 'Run the test again',
    running: 'The test runs.',
    sendExample: 'Send as a real message',
    exampleSent: 'It is accepted as a message, and being delivered.',
    sentAndAnswered: 'What was sent and answered',
    kinds: { reached: 'Reached', genuine: 'Genuine', forged: 'Forged', old: 'Old' },
    titles: {
      reached: 'It is reached',
      genuine: 'It accepts a genuine request',
      forged: 'It refuses a forged request',
      old: 'It refuses an old request',
    },
    expects: {
      reached: 'Name, address, TLS and certificate.',
      genuine: 'Signed with this endpoint’s secret: 2xx is expected.',
      forged: 'Signed with a wrong secret: 4xx is expected.',
      old: 'Genuine, but ten minutes old: 4xx is expected.',
    },
    result: (check: Check, format: Format): string => {
      const took = check.durationMs === null ? '' : format.duration(check.durationMs);
      if (check.passed === null) return 'not tried';
      if (check.kind === 'reached') return check.passed ? took : answer(check.statusCode, check.failure);
      const got = answer(check.statusCode, check.failure);
      if (check.passed) return `${got} in ${took}`;
      return `${got}, expected ${check.kind === 'genuine' ? '2xx' : '4xx'}`;
    },
    explain: (check: Check, format: Format): string => {
      if (check.passed === null) return 'It was not reached, so this was not tried.';
      if (check.kind === 'reached') {
        if (!check.passed) return check.detail ? `${capital(check.detail)}.` : 'No connection could be made.';
        return [
          check.address,
          check.tlsVersion,
          check.certificateExpiresAt && `certificate valid until ${format.day(check.certificateExpiresAt)}`,
        ]
          .filter(Boolean)
          .join(', ');
      }
      if (check.kind === 'genuine') {
        if (check.passed) return 'Signed with this endpoint’s secret, sent just now.';
        if (check.detail) return `${capital(check.detail)}.`;
        return check.failure === 'redirect'
          ? 'Redirects are not followed. Change the URL to the one that it leads to.'
          : 'It was signed correctly. Look at your server’s answer below.';
      }
      if (!check.passed && !wasTaken(check))
        return 'It was not accepted, and not refused either. Answer with 4xx, such as 401; anything else counts as a failure of your server.';
      if (check.kind === 'forged')
        return check.passed
          ? 'Signed with a wrong secret, and refused.'
          : 'It was signed with a wrong secret, and accepted. Your code does not check the signature yet, so anyone who knows the URL could send you events.';
      return check.passed
        ? 'Ten minutes old, and refused.'
        : 'Genuine, but with a timestamp ten minutes old. Check the timestamp too, or a copied request can be played again.';
    },
  },
  explain: {
    title: 'Does your signature differ?',
    paste: 'Paste what your code computed',
    pasteNote: (id: string) => `For the genuine request above, ${id}.`,
    submit: 'Explain',
    verdicts: {
      matches: ['It is right', 'This is the signature that was sent. Compare it with the header in constant time.'],
      reserialized_body: [
        'Right secret, other bytes',
        'You signed the JSON after parsing and printing it again. Use the raw request body.',
      ],
      previous_secret: [
        'The previous secret',
        'It is right for now: a secret that was rotated out still signs along. Use the current one.',
      ],
      secret_not_decoded: [
        'The secret was not decoded',
        'What follows whsec_ is Base64. Decode it, and use the bytes as key.',
      ],
      prefix_not_removed: ['The prefix was decoded too', 'Remove whsec_ from the secret before decoding it.'],
      encoded_twice: ['Encoded twice', 'The signature was put into Base64 two times.'],
      hex_not_base64: ['Hex, not Base64', 'The bytes are right. Write them as Base64.'],
      body_encoded_anew: [
        'Right secret, other bytes',
        'The body was taken for Latin-1 and encoded anew. Use the raw bytes.',
      ],
      only_body: ['Only the body was signed', 'The signed text is id.timestamp.body.'],
      missing_dots: ['The dots are missing', 'The signed text is id.timestamp.body, with the dots.'],
      other_id: ['Another id', 'Use webhook-id as it stands.'],
      other_timestamp: ['Another timestamp', 'Use webhook-timestamp as it stands, and not your own clock.'],
      hex_in_base64: ['Hex within Base64', 'Put the bytes themselves into Base64, not their hex digits.'],
      url_safe_base64: ['URL-safe Base64', 'Use the standard alphabet, with padding.'],
      missing_id: ['The id is missing', 'The signed text is id.timestamp.body, with the webhook-id first.'],
      missing_timestamp: ['The timestamp is missing', 'The signed text is id.timestamp.body.'],
      timestamp_in_ms: ['The timestamp is in milliseconds', 'Use webhook-timestamp as it stands: it is in seconds.'],
      wrong_order: ['The order is wrong', 'The signed text is id.timestamp.body, in this order.'],
      body_with_newline: ['A line break too many', 'A line break was added to the body. Use the raw bytes.'],
      other_hash: ['Another hash', 'Use HMAC with SHA-256.'],
      expired_secret: ['A secret that is over', 'This was made with a secret whose grace period has ended.'],
      unknown: [
        'Not one of the common mistakes',
        'Compare the signed text id.timestamp.body byte by byte, and the secret.',
      ],
    } as Record<Verdict, [string, string]>,
  },
};
