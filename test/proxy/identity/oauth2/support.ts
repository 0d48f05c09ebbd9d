import type { z } from 'zod';
import { Secret } from '../../../../src/core/index.ts';
import { createOAuth2Verifier, type Outcome, type Verifier } from '../../../../src/proxy/identity/index.ts';
import { oauth2VerifierOptions } from '../../../../src/proxy/identity/oauth2/index.ts';
import { createStillClock, type StillClock } from '../support/still-clock.ts';

export type OAuth2Input = Partial<z.input<typeof oauth2VerifierOptions>>;

export interface TestVerifier {
  readonly verifier: Verifier;
  readonly clock: StillClock;
  verify(token: string): Promise<Outcome>;
}

export function oauth2VerifierOf(
  input: OAuth2Input,
  extra: { readonly clock?: StillClock; readonly googleUrl?: string } = {},
): TestVerifier {
  const { clock = createStillClock(), googleUrl } = extra;
  const options = oauth2VerifierOptions.parse({
    type: 'oauth2',
    name: 'people',
    username: 'oauth2',
    ...input,
  });
  const google = { tokenInfo: `${googleUrl}/tokeninfo`, userInfo: `${googleUrl}/v1/userinfo` };
  const verifier = createOAuth2Verifier(options, { clock, ...(googleUrl !== undefined && { google }) });
  return {
    verifier,
    clock,
    verify: (token) =>
      verifier.verify({ username: 'oauth2', password: new Secret(token) }, new AbortController().signal),
  };
}

export function basicAuthorization(id: string, secret: string): string {
  return `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`;
}
