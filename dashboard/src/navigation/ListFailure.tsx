// Why a list is not there. Where its own URL is at fault, the way out is a URL without that.
import { refusedParameters } from '../api/error';
import { Button } from '../design/controls/Button';
import { Failure } from '../design/feedback/Notice';
import { useT } from '../i18n';
import { useUrl } from './url';

interface Props {
  error: unknown;
  onRetry: () => void;
}

export function ListFailure({ error, onRetry }: Props) {
  const t = useT();
  const [url, setUrl] = useUrl();
  const names = urlNames(refusedParameters(error), Object.keys(url));
  const leave = () => setUrl(Object.fromEntries(names.map((name) => [name, undefined])));
  return (
    <Failure
      error={error}
      onRetry={onRetry}
      action={
        names.length > 0 && (
          <Button onClick={leave}>{names.every((name) => name === 'iterator') ? t.firstPage : t.clearFilters}</Button>
        )
      }
    />
  );
}

/** Which values of the URL are meant. A parameter that takes several is one in the URL. */
export function urlNames(refused: string[], inUrl: string[]): string[] {
  return inUrl.filter((name) => refused.includes(name) || refused.includes(`${name}s`));
}
