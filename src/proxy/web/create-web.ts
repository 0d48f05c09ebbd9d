import * as crypto from 'node:crypto';
import type { Clock } from '../../core/index.ts';
import type { StateStore } from '../../state/index.ts';
import type { Logger } from '../../telemetry/index.ts';
import { createSealedBox, type SecretKeys, type SignIn } from '../identity/index.ts';
import { createAccountHandlers } from './account-handlers.ts';
import { createDeviceCodes } from './device-codes.ts';
import { createDeviceEndpoints } from './device-endpoints.ts';
import { createDeviceHandlers } from './device-handlers.ts';
import { messagePage, redirect } from './page.ts';
import { createSessions } from './sessions.ts';
import { createSignInHandlers } from './sign-in-handlers.ts';
import { createTally } from './tally.ts';
import { createGate, type Handler } from './visitor.ts';
import type { WebAnswer, WebRequest } from './web-request.ts';

/** The pages where people sign in and make tokens. */
export interface Web {
  /** Whether a path is one of the pages. */
  answers(path: string): boolean;
  /** Never rejects: what goes wrong is a page that says so. */
  answer(request: WebRequest): Promise<WebAnswer>;
}

export interface WebDependencies {
  /** One for each verifier that people sign in with. */
  readonly signIns: readonly SignIn[];
  readonly state: StateStore;
  readonly secretKeys: SecretKeys;
  readonly clock: Clock;
  readonly log: Logger;
  readonly randomBytes?: (size: number) => Buffer;
}

/** As long as a code is good. */
const WINDOW_MS = 10 * 60_000;
const DEVICE_LIMITS = {
  begun: { limit: 30, windowMs: WINDOW_MS },
  mistakes: { limit: 10, windowMs: WINDOW_MS },
};
const SIGN_IN_FAILURES = { collection: 'web-sign-in-failures', limit: 50, windowMs: WINDOW_MS };

type Routes = ReadonlyMap<string, Readonly<Partial<Record<'GET' | 'POST', Handler>>>>;

export function createWeb(dependencies: WebDependencies): Web {
  const { signIns, state, secretKeys, clock, log, randomBytes = crypto.randomBytes } = dependencies;
  const box = createSealedBox(secretKeys('web cookies'));
  const sessions = createSessions({ box, clock, randomBytes });
  const gate = createGate(sessions, signIns);
  const failures = createTally(SIGN_IN_FAILURES, { state, clock });
  const signIn = createSignInHandlers({ signIns, sessions, box, state, failures, clock, log });
  const account = createAccountHandlers({ log });
  const codes = createDeviceCodes({ state, clock, randomBytes });
  const begun = createTally({ collection: 'device-begun', ...DEVICE_LIMITS.begun }, { state, clock });
  const mistakes = createTally(
    { collection: 'device-mistakes', ...DEVICE_LIMITS.mistakes },
    { state, clock },
  );
  const device = createDeviceHandlers({ codes, mistakes, log });
  const endpoints = createDeviceEndpoints({ codes, signIns, begun, log });
  const routes: Routes = new Map([
    ['/', { GET: async () => redirect('/account') }],
    ['/login', { GET: signIn.show }],
    ['/login/start', { GET: signIn.start }],
    ['/login/callback', { GET: signIn.comeBack }],
    ['/logout', { POST: gate.form(account.signOut) }],
    ['/account', { GET: gate.page(account.show) }],
    ['/account/tokens', { POST: gate.form(account.create) }],
    ['/account/tokens/revoke', { POST: gate.form(account.revoke) }],
    ['/device', { GET: gate.page(device.show), POST: gate.form(device.look) }],
    ['/device/confirm', { POST: gate.form(device.confirm) }],
    ['/device/code', { POST: endpoints.begin }],
    ['/device/token', { POST: endpoints.exchange }],
    ['/.well-known/drp', { GET: endpoints.describe }],
  ]);

  return {
    answers: (path) => routes.has(path),
    async answer(request) {
      const methods = routes.get(request.path) ?? {};
      const method = request.method === 'HEAD' ? 'GET' : request.method;
      const handler = method === 'GET' || method === 'POST' ? methods[method] : undefined;
      if (!handler) return notAllowed(request, Object.keys(methods));
      try {
        return await handler(request);
      } catch (error) {
        log.error({ path: request.path, err: error }, 'a page could not be made');
        const title = 'This does not work at the moment';
        return messagePage(request, 503, { title, text: 'Try again in a minute.' }, { 'Retry-After': '30' });
      }
    },
  };
}

function notAllowed(request: WebRequest, methods: readonly string[]): WebAnswer {
  const message = { title: 'Not like this', text: 'This address takes no such request.' };
  return messagePage(request, 405, message, { Allow: methods.join(', ') });
}
