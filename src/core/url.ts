/** `new URL` without the exception; undefined for what is not an absolute URL. */
export function parseUrl(text: string, base?: string | URL): URL | undefined {
  return URL.canParse(text, base?.toString()) ? new URL(text, base) : undefined;
}
