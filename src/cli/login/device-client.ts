import { z } from 'zod';
import { type Clock, isLoopbackHost, parseUrl, Secret } from '../../core/index.ts';
import type { HttpAnswer, HttpClient } from '../../network/index.ts';
import { CommandError } from '../errors.ts';

/** What is shown to the person, and what is waited for. */
export interface AskedDevice {
  readonly tokenUrl: URL;
  readonly deviceCode: Secret;
  readonly userCode: string;
  /** Where to go, with the code in it. */
  readonly completeUrl: string;
  readonly intervalMs: number;
  /** Milliseconds since the epoch. */
  readonly endsAt: number;
}

export interface RegistryCredential {
  readonly username: string;
  readonly secret: Secret;
}

/** The device's side of RFC 8628, with a proxy. */
export interface DeviceClient {
  /** @throws {CommandError} */
  begin(deviceName: string): Promise<AskedDevice>;
  /** Waits until somebody has decided. @throws {CommandError} when they denied it, or nobody came */
  wait(asked: AskedDevice): Promise<RegistryCredential>;
}

const GRANT_TYPE = 'urn:ietf:params:oauth:grant-type:device_code';
/** How much longer to wait when the proxy says so. @see RFC 8628, section 3.5 */
const SLOWER_MS = 5000;
const LONGEST_REQUEST_MS = 30_000;

const description = z.object({ device_authorization_endpoint: z.string(), token_endpoint: z.string() });
const begun = z.object({
  device_code: z.string().min(1),
  user_code: z.string().regex(/^[A-Z0-9-]{4,20}$/),
  verification_uri_complete: z.string(),
  expires_in: z.number().positive(),
  interval: z.number().min(1).default(5),
});
const issued = z.object({
  access_token: z.string().min(1),
  username: z.string().regex(/^[^\p{Cc}:]+$/u),
});
const failure = z.object({ error: z.string(), error_description: z.string().optional() });

export function createDeviceClient(
  host: string,
  { http, clock }: { readonly http: HttpClient; readonly clock: Clock },
): DeviceClient {
  const ask = (url: URL, form?: Readonly<Record<string, string>>): Promise<HttpAnswer> =>
    http.request(url, {
      ...(form && { method: 'POST', body: new URLSearchParams(form).toString() }),
      headers: {
        accept: 'application/json',
        ...(form && { 'content-type': 'application/x-www-form-urlencoded' }),
      },
      signal: AbortSignal.timeout(LONGEST_REQUEST_MS),
    });

  /** Plain http is for this machine alone, as docker has it. */
  async function describe(): Promise<{ base: URL; answer: HttpAnswer }> {
    const base = new URL(`https://${host}`);
    const local = isLoopbackHost(base.hostname);
    try {
      return { base, answer: await ask(new URL('/.well-known/drp', base)) };
    } catch (cause) {
      if (!local) throw unreachable(host, cause);
    }
    const plain = new URL(`http://${host}`);
    try {
      return { base: plain, answer: await ask(new URL('/.well-known/drp', plain)) };
    } catch (cause) {
      throw unreachable(host, cause);
    }
  }

  return {
    async begin(deviceName) {
      const { base, answer } = await describe();
      const found = answer.status === 200 ? description.safeParse(parseJson(answer)).data : undefined;
      if (!found) {
        throw new CommandError(`${host} has no sign-in page for terminals; use docker login ${host}`);
      }
      const deviceUrl = ownUrl(base, found.device_authorization_endpoint);
      const tokenUrl = ownUrl(base, found.token_endpoint);
      const begin = await ask(deviceUrl, { client_id: 'drp', device_name: deviceName });
      const asked = begin.status === 200 ? begun.safeParse(parseJson(begin)).data : undefined;
      if (!asked) throw new CommandError(`${host} gave no code (status ${begin.status}); try again later`);
      return {
        tokenUrl,
        deviceCode: new Secret(asked.device_code),
        userCode: asked.user_code,
        completeUrl: ownUrl(base, asked.verification_uri_complete).href,
        intervalMs: asked.interval * 1000,
        endsAt: clock.now() + asked.expires_in * 1000,
      };
    },
    async wait({ tokenUrl, deviceCode, intervalMs, endsAt }) {
      let interval = intervalMs;
      while (clock.now() < endsAt) {
        await clock.sleep(interval);
        const form = { grant_type: GRANT_TYPE, device_code: deviceCode.reveal(), client_id: 'drp' };
        // A proxy that is out of reach for a moment is asked again.
        const answer = await ask(tokenUrl, form).catch(() => undefined);
        if (!answer || answer.status >= 500) continue;
        const token = answer.status === 200 ? issued.safeParse(parseJson(answer)).data : undefined;
        if (token) return { username: token.username, secret: new Secret(token.access_token) };
        const { error, error_description: why } = failure.safeParse(parseJson(answer)).data ?? { error: '' };
        if (error === 'slow_down') interval += SLOWER_MS;
        else if (error !== 'authorization_pending') throw new CommandError(refusal(host, error, why));
      }
      throw new CommandError('nobody confirmed the code in time; run drp login again');
    },
  };
}

function refusal(host: string, error: string, why: string | undefined): string {
  const reason = why === undefined ? '' : `: ${why.replace(/\p{Cc}/gu, ' ')}`;
  switch (error) {
    case 'access_denied':
      return `${host} gave no token${reason || ': it was denied on the page'}`;
    case 'expired_token':
      return 'the code has ended; run drp login again';
    default:
      return `${host} gave an answer that makes no sense${reason}`;
  }
}

/** Codes and tokens go to the host that was named, and nowhere else. */
function ownUrl(base: URL, text: string): URL {
  const url = parseUrl(text);
  if (url?.origin === base.origin) return url;
  const other = url ? url.host : 'something that is no URL';
  throw new CommandError(`${base.host} refers to ${other}; log in to that host, if it is yours`);
}

function parseJson({ body }: HttpAnswer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
}

function unreachable(host: string, cause: unknown): CommandError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new CommandError(`${host} can not be reached: ${reason}`, undefined, { cause });
}
