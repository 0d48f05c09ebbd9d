import { homedir, hostname } from 'node:os';
import { join } from 'node:path';
import { type Clock, systemClock } from '../../core/index.ts';
import { createHttpClient } from '../../network/index.ts';
import { UsageError } from '../errors.ts';
import type { Terminal } from '../terminal.ts';
import { createDeviceClient } from './device-client.ts';
import { requireUsableConfig, storeCredential } from './docker-config.ts';

const TIMEOUT_MS = 15_000;
const MAXIMUM_BYTES = 64 * 1024;
const HOST = /^(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:]+\])(?::\d{1,5})?$/;

/**
 * Gets a token for this machine and keeps it where docker finds it.
 * @throws {CommandError}
 */
export async function runLogin(
  named: string,
  options: { readonly deviceName?: string; readonly dockerConfig?: string },
  terminal: Terminal,
  clock: Clock = systemClock,
): Promise<void> {
  const host = named
    .toLowerCase()
    .replace(/^https:\/\//, '')
    .replace(/\/$/, '');
  if (!HOST.test(host))
    throw new UsageError(`${named} is no registry host; expected one such as docker.example.com`);
  const folder = options.dockerConfig ?? (terminal.env.DOCKER_CONFIG || join(homedir(), '.docker'));
  const http = createHttpClient({ reach: 'any', timeoutMs: TIMEOUT_MS, maximumBytes: MAXIMUM_BYTES });
  try {
    await requireUsableConfig(folder);
    const device = createDeviceClient(host, { http, clock });
    const asked = await device.begin(options.deviceName ?? `drp login on ${hostname()}`);
    terminal.print(`Open ${asked.completeUrl}\nand confirm the code ${asked.userCode}`);
    const credential = await device.wait(asked);
    const place = await storeCredential(folder, host, credential, terminal.env);
    terminal.print(`Logged in to ${host} as ${credential.username}. The token is kept in ${place}.`);
  } finally {
    await http.close();
  }
}
