import type { Logger } from '../../telemetry/index.ts';
import { addressKey, MAXIMUM_TOKEN_NAME_LENGTH, type SignIn } from '../identity/index.ts';
import type { DeviceCodes } from './device-codes.ts';
import type { Tally } from './tally.ts';
import type { WebAnswer, WebRequest } from './web-request.ts';

export interface DeviceEndpointsDependencies {
  readonly codes: DeviceCodes;
  readonly signIns: readonly SignIn[];
  /** Codes that were begun, by address. */
  readonly begun: Tally;
  readonly log: Logger;
}

const GRANT_TYPE = 'urn:ietf:params:oauth:grant-type:device_code';

/** What `drp login` talks to. @see RFC 8628 */
export function createDeviceEndpoints({ codes, signIns, begun, log }: DeviceEndpointsDependencies) {
  async function describe({ publicUrl }: WebRequest): Promise<WebAnswer> {
    return json(200, {
      issuer: publicUrl,
      device_authorization_endpoint: `${publicUrl}/device/code`,
      token_endpoint: `${publicUrl}/device/token`,
      grant_types_supported: [GRANT_TYPE],
    });
  }

  async function begin(request: WebRequest): Promise<WebAnswer> {
    if (!(await begun.count(addressKey(request.client)))) {
      return json(429, {
        error: 'temporarily_unavailable',
        error_description: 'too many codes; try again later',
      });
    }
    const label = printable(request.form?.get('device_name') ?? '') || 'a terminal';
    const { deviceCode, userCode, lifetimeSeconds, intervalSeconds } = await codes.begin({
      label,
      client: request.client,
    });
    const page = `${request.publicUrl}/device`;
    return json(200, {
      device_code: deviceCode,
      user_code: userCode,
      verification_uri: page,
      verification_uri_complete: `${page}?user_code=${userCode}`,
      expires_in: lifetimeSeconds,
      interval: intervalSeconds,
    });
  }

  async function exchange({ form }: WebRequest): Promise<WebAnswer> {
    if (form?.get('grant_type') !== GRANT_TYPE) return json(400, { error: 'unsupported_grant_type' });
    const polled = await codes.poll(form.get('device_code') ?? '');
    switch (polled.type) {
      case 'pending':
        return json(400, { error: 'authorization_pending' });
      case 'slow-down':
        return json(400, { error: 'slow_down' });
      case 'denied':
        return json(400, { error: 'access_denied' });
      case 'unknown':
        return json(400, { error: 'expired_token' });
      case 'approved':
        return issue(polled.verifier, polled.personId, polled.label);
    }
  }

  async function issue(verifier: string, personId: string, label: string): Promise<WebAnswer> {
    const signIn = signIns.find((one) => one.verifier === verifier);
    const person = await signIn?.find(personId);
    if (!signIn || !person) return json(400, { error: 'access_denied' });
    const created = await signIn.tokens.create(personId, {
      name: label,
      lifetimeMs: signIn.longestLifetimeMs,
    });
    if (created.type === 'too-many') {
      const description = 'you have as many tokens as you may have; revoke one first';
      return json(400, { error: 'access_denied', error_description: description });
    }
    if (created.type !== 'created') return json(400, { error: 'access_denied' });
    const { token, summary } = created;
    log.info(
      { verifier, name: person.name, token: summary.id },
      'a personal access token was made for a terminal',
    );
    return json(200, {
      access_token: token.reveal(),
      token_type: 'Bearer',
      expires_in: Math.floor(signIn.longestLifetimeMs / 1000),
      username: person.name,
    });
  }

  return { describe, begin, exchange };
}

function json(status: number, value: unknown): WebAnswer {
  const headers = { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' };
  return { status, headers, body: JSON.stringify(value) };
}

function printable(text: string): string {
  return text
    .replace(/[\p{Cc}\p{Cf}]/gu, '')
    .trim()
    .slice(0, MAXIMUM_TOKEN_NAME_LENGTH);
}
