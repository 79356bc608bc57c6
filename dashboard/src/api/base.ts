// Where this installation lives: the path of <base href>, which the server fills in. Ends without a slash.
export const basePath = new URL(document.baseURI).pathname.replace(/\/+$/, '');

export function publicPath(path: string): string {
  return `${basePath}/${path.replace(/^\/+/, '')}`;
}
