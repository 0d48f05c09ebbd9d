import {
  CLIENT_ID,
  CLIENT_SECRET,
  type OidcProvider,
  startOidcProvider,
} from '../../servers/oidc-provider.ts';
import { createWebClient, signInAtProvider, type WebClient } from '../../support/web-client.ts';
import { createSite, type ProxyInput, type RunningProxy, runProxy } from '../support/running-proxy.ts';

/** A proxy whose people sign in with a real provider. */
export interface WebSite extends RunningProxy {
  readonly provider: OidcProvider;
  /** @returns a client that has signed in, at the page that it came to */
  signIn(subject: string, to?: string, client?: WebClient): Promise<SignedInClient>;
  close(): Promise<void>;
}

export interface SignedInClient {
  readonly client: WebClient;
  readonly page: string;
  readonly formToken: string;
}

export async function createWebSite(
  input: ProxyInput = {},
  verifier: Readonly<Record<string, unknown>> = {},
): Promise<WebSite> {
  const provider = await startOidcProvider({
    'sub-anna': { name: 'anna', groups: ['platform'] },
    'sub-ben': { name: 'ben', groups: [] },
  });
  const site = await createSite();
  const options = await site.options({
    authentication: {
      verifiers: [
        {
          name: 'staff',
          type: 'oidc',
          title: 'Acme <SSO>',
          issuer: provider.issuer,
          clientId: CLIENT_ID,
          clientSecret: CLIENT_SECRET,
          authorizationParameters: { prompt: 'consent' },
          ...verifier,
        },
      ],
    },
    ...input,
  });
  const running = await runProxy(options);
  const publicUrl = options.server.publicUrl ?? running.url;
  provider.register(`${publicUrl}/login/callback`);

  return {
    ...running,
    provider,
    async signIn(subject, to = '/account', client = createWebClient()) {
      const callback = await callbackOf(running.url, client, subject, to);
      const { response } = await client.follow(callback);
      const page = (await response?.text()) ?? '';
      return { client, page, formToken: formTokenOf(page) };
    },
    async close() {
      await running.proxy.close();
      await provider.close();
      await site.remove();
    },
  };
}

/** Begins a sign-in, and stops where the provider sends the browser back. */
export function callbackOf(url: string, client: WebClient, subject: string, to = '/account'): Promise<URL> {
  const start = `${url}/login/start?${new URLSearchParams({ provider: 'staff', to })}`;
  return signInAtProvider(
    client,
    start,
    subject,
    ({ origin, pathname }) => origin === url && pathname === '/login/callback',
  );
}

export function formTokenOf(page: string): string {
  return /name="form-token" value="([^"]+)"/.exec(page)?.[1] ?? '';
}

/** The token that a page shows. */
export function shownToken(page: string): string {
  return /drp_[0-9a-f]{16}_[0-9a-f]{64}/.exec(page)?.[0] ?? '';
}
