const VISIBLE_ASCII = /^[\t\x20-\x7e]*$/;

/**
 * The head of a GET request.
 * @throws {TypeError} for a header value that would not stay on its line
 */
export function formatGet(url: URL, headers: Readonly<Record<string, string>>): string {
  const lines = Object.entries(headers).map(([name, value]) => {
    if (!VISIBLE_ASCII.test(value)) throw new TypeError(`the value of the header ${name} can't be sent`);
    return `${name}: ${value}\r\n`;
  });
  return `GET ${url.pathname}${url.search} HTTP/1.1\r\nHost: ${url.host}\r\n${lines.join('')}\r\n`;
}
