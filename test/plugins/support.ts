import { onTestFinished } from 'vitest';
import { type Clock, Secret, systemClock } from '../../src/core/index.ts';
import {
  createProviderHost,
  createVerifierHost,
  type PluginDependencies,
  PluginError,
  type PluginOptions,
  providerPluginOptions,
} from '../../src/plugins/index.ts';
import { createLogger } from '../../src/telemetry/index.ts';

export const silentLog = createLogger('silent');

/** A log that can be read. */
export function createLogBook() {
  const lines: string[] = [];
  return { log: createLogger('debug', { write: (line) => lines.push(line) }), lines };
}

/** The system's clock, some time ahead. */
export function createShiftedClock(): Clock & { advance(milliseconds: number): void } {
  let ahead = 0;
  return {
    now: () => systemClock.now() + ahead,
    sleep: systemClock.sleep,
    advance: (milliseconds) => {
      ahead += milliseconds;
    },
  };
}

/** Options as the configuration gives them. */
export function parseOptions<T extends PluginOptions['type']>(
  input: Readonly<Record<string, unknown>> & { readonly type: T },
): Extract<PluginOptions, { type: T }> {
  const schema = providerPluginOptions.find(({ shape }) => shape.type.value === input.type);
  if (!schema) throw new Error(`there is no plugin of type ${input.type}`);
  return schema.parse(input) as Extract<PluginOptions, { type: T }>;
}

export function verifierOf(options: PluginOptions, dependencies: Partial<PluginDependencies> = {}) {
  const plugin = createVerifierHost('custom', options, {
    clock: systemClock,
    log: silentLog,
    ...dependencies,
  });
  onTestFinished(() => plugin.close());
  const verify = (password = 'good', signal = new AbortController().signal) =>
    plugin.verify('ada', new Secret(password), signal);
  return { plugin, verify };
}

export function providerOf(options: PluginOptions, dependencies: Partial<PluginDependencies> = {}) {
  const plugin = createProviderHost(options, { clock: systemClock, log: silentLog, ...dependencies });
  onTestFinished(() => plugin.close());
  const fetch = (signal = new AbortController().signal) => plugin.credential('registry.example.net', signal);
  return { plugin, fetch };
}

/** The error that a question ends with. */
export async function errorOf(answer: Promise<unknown>): Promise<PluginError> {
  const error = await answer.then(
    (value) => new Error(`answered ${JSON.stringify(value)}`),
    (reason: unknown) => reason,
  );
  if (error instanceof PluginError) return error;
  throw error;
}
