/** What a browser does without showing it: cookies by origin, redirects one at a time. */
export interface WebClient {
  /** By origin and name. */
  readonly cookies: Map<string, Map<string, string>>;
  /** One request; redirects are not followed. */
  send(url: string | URL, request?: WebClientRequest): Promise<Response>;
  /** Follows redirects until something else comes, or until a redirect leads to a URL that `stopAt` takes. */
  follow(
    url: string | URL,
    request?: WebClientRequest & { readonly stopAt?: (url: URL) => boolean },
  ): Promise<{ readonly url: URL; readonly response: Response | undefined }>;
}

export interface WebClientRequest {
  /** Makes it a POST of a form. */
  readonly form?: Readonly<Record<string, string>> | undefined;
  readonly headers?: Readonly<Record<string, string>>;
}

const MOST_REDIRECTS = 20;

export function createWebClient(): WebClient {
  const cookies = new Map<string, Map<string, string>>();

  function keep(origin: string, lines: readonly string[]): void {
    const jar = cookies.get(origin) ?? new Map<string, string>();
    cookies.set(origin, jar);
    for (const line of lines) {
      const [pair = '', ...attributes] = line.split(';').map((part) => part.trim());
      const mark = pair.indexOf('=');
      const name = pair.slice(0, mark);
      if (
        attributes.some((attribute) => /^max-age=0$/i.test(attribute) || /^expires=.* 1970 /i.test(attribute))
      ) {
        jar.delete(name);
      } else jar.set(name, pair.slice(mark + 1));
    }
  }

  async function send(
    target: string | URL,
    { form, headers = {} }: WebClientRequest = {},
  ): Promise<Response> {
    const { origin } = new URL(target);
    const jar = [...(cookies.get(origin) ?? [])].map(([name, value]) => `${name}=${value}`);
    const response = await fetch(target, {
      redirect: 'manual',
      ...(form && { method: 'POST', body: new URLSearchParams(form) }),
      headers: { ...(form && { origin }), ...headers, ...(jar.length > 0 && { cookie: jar.join('; ') }) },
    });
    keep(origin, response.headers.getSetCookie());
    return response;
  }

  return {
    cookies,
    send,
    async follow(target, { stopAt = () => false, ...request } = {}) {
      let url = new URL(target);
      let response = await send(url, request);
      for (let hop = 0; hop < MOST_REDIRECTS; hop += 1) {
        const location = response.headers.get('location');
        if (response.status < 300 || response.status >= 400 || location === null) return { url, response };
        url = new URL(location, url);
        if (stopAt(url)) return { url, response: undefined };
        await response.arrayBuffer();
        response = await send(url);
      }
      throw new Error(`more than ${MOST_REDIRECTS} redirects`);
    },
  };
}

/** Signs in at the provider of `test/servers/oidc-provider.ts`, from its first URL to the one it sends the browser back to. */
export async function signInAtProvider(
  client: WebClient,
  authorizationUrl: string | URL,
  subject: string,
  isCallback: (url: URL) => boolean,
): Promise<URL> {
  const first = await client.follow(authorizationUrl, { stopAt: isCallback });
  if (!first.response) return first.url;
  const second = await client.follow(first.url, { form: { subject }, stopAt: isCallback });
  if (!second.response) return second.url;
  throw new Error(`the provider answered ${second.response.status}: ${await second.response.text()}`);
}
