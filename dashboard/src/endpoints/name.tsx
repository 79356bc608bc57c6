// How an endpoint is called: its URL without the scheme, the host before the path.

export function endpointParts(url: string): [string, string] {
  if (!URL.canParse(url)) return [url, ''];
  const parsed = new URL(url);
  const path = parsed.pathname + parsed.search;
  return [parsed.host, path === '/' ? '' : decode(path)];
}

export function endpointName(url: string): string {
  return endpointParts(url).join('');
}

/** Paths are shown as people write them, where their percent signs make sense. */
function decode(path: string): string {
  try {
    return decodeURI(path);
  } catch {
    return path;
  }
}

export function EndpointName({ url }: { url: string }) {
  const [host, path] = endpointParts(url);
  return (
    <span className="endpoint-name" title={url}>
      {host}
      <span className="faint">{path}</span>
    </span>
  );
}
