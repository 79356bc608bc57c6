// A request beside its response, as they went over the wire, and the request as a curl command.
import type { Schemas } from '../../api/types';
import { useFormat, useT } from '../../i18n';
import { useCopy } from './Id';
import { JsonText } from './JsonView';

type Header = Schemas['HeaderOut'];
type Request = Schemas['RequestOut'];

const hidden = '••••••••';

/** Quoted for a POSIX shell. */
function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** Headers that curl sets by itself are left out; secret ones become a variable to fill in. */
export function curlOf(request: Request, body: string): string {
  const own = new Set(['host', 'content-length', 'accept', 'accept-encoding', 'connection']);
  const headers = request.headers.filter((header) => !own.has(header.name));
  const lines = headers.map((header) => `  -H ${quote(`${header.name}: ${header.value ?? hidden}`)}`);
  return [`curl -X ${request.method} ${quote(request.url)}`, ...lines, `  --data-binary ${quote(body)}`].join(' \\\n');
}

function HeadText({ first, headers }: { first: string; headers: Header[] }) {
  return (
    <pre className="json">
      {first}
      {headers.map((header, place) => (
        <span key={place}>
          {'\n'}
          <span className="header-name">{header.name}:</span> {header.value ?? hidden}
        </span>
      ))}
    </pre>
  );
}

interface Props {
  request: Request;
  requestBody: string | null;
  status: number | null;
  statusText: string;
  responseHeaders: Header[] | null;
  responseBody: string;
  durationMs: number | null;
}

export function Exchange({
  request,
  requestBody,
  status,
  statusText,
  responseHeaders,
  responseBody,
  durationMs,
}: Props) {
  const t = useT();
  const format = useFormat();
  const [isCopied, copy] = useCopy();
  const path = URL.canParse(request.url) ? new URL(request.url).pathname + new URL(request.url).search : request.url;
  const size = new TextEncoder().encode(responseBody).length;
  return (
    <div className="pair">
      <div>
        <div className="pair-head">
          {request.isExact ? t.exchange.request : t.exchange.rebuilt}
          <span className="end">
            <button type="button" className="link" onClick={() => copy(curlOf(request, requestBody ?? ''))}>
              {isCopied ? t.copied : t.exchange.curl}
            </button>
          </span>
        </div>
        <HeadText first={`${request.method} ${path} HTTP/1.1`} headers={request.headers} />
        {requestBody === null ? (
          <p className="json faint">{t.exchange.expunged}</p>
        ) : (
          <JsonText text={requestBody} isRaw />
        )}
      </div>
      <div>
        <div className="pair-head">
          {t.exchange.response}
          <span className="end">
            {[durationMs !== null && format.duration(durationMs), status && format.bytes(size)]
              .filter(Boolean)
              .join(' · ')}
          </span>
        </div>
        {status ? (
          <HeadText first={`HTTP/1.1 ${statusText}`} headers={responseHeaders ?? []} />
        ) : (
          <p className="json dead">{statusText}</p>
        )}
        {responseBody !== '' && <JsonText text={responseBody} />}
      </div>
    </div>
  );
}
