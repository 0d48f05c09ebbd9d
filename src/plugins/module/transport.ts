import type { Clock } from '../../core/index.ts';
import type { Logger } from '../../telemetry/index.ts';
import { PluginError } from '../errors.ts';
import type { Transport } from '../transport.ts';
import { isCallable, loadFactory, messageOf } from './load-module.ts';
import type { ModulePluginOptions } from './options.ts';
import type { PluginContext } from './types.ts';

export interface ModuleDependencies {
  readonly clock: Clock;
  readonly log: Logger;
}

type Instance = Readonly<Record<string, unknown>>;

const CLOSE_TIMEOUT_MS = 5000;

/** Calls functions of a module in this process. It is loaded with the first question. */
export function createModuleTransport(
  { file, options }: Pick<ModulePluginOptions, 'file' | 'options'>,
  plugin: { readonly name: string; readonly factory: 'createVerifier' | 'createProvider' },
  { clock, log }: ModuleDependencies,
): Transport {
  const closing = new AbortController();
  let loading: Promise<Instance> | undefined;

  async function load(): Promise<Instance> {
    const create = await loadFactory(file, [plugin.factory, 'default']);
    const context: PluginContext = { name: plugin.name, log: logOf(log), signal: closing.signal };
    const instance = await attempt(() => create(structuredClone(options), context));
    if (instance === null || typeof instance !== 'object') {
      throw new PluginError('unavailable', `${plugin.factory} of ${file.path} made no object`);
    }
    return instance as Instance;
  }

  function instance(): Promise<Instance> {
    if (!loading) {
      loading = load();
      loading.catch(() => {
        loading = undefined;
      });
    }
    return loading;
  }

  async function closeInstance(made: Promise<Instance>): Promise<void> {
    const target = await made.catch(() => undefined);
    const close = target?.close;
    if (!isCallable(close)) return;
    await attempt(() => close.call(target)).catch((error: unknown) =>
      log.warn({ err: error }, 'a plugin failed to close'),
    );
  }

  return {
    async ask({ method, body }, signal) {
      const target = await instance();
      signal.throwIfAborted();
      if (method === 'describe') return { renew: isCallable(target.renew) };
      const called = target[method];
      if (!isCallable(called)) {
        throw new PluginError('unavailable', `what ${file.path} made has no function ${method}`);
      }
      return asJson(await attempt(() => called.call(target, structuredClone(body), { signal })));
    },
    async close() {
      closing.abort();
      if (!loading) return;
      const done = new AbortController();
      const tooSlow = clock.sleep(CLOSE_TIMEOUT_MS, done.signal).catch(() => undefined);
      await Promise.race([closeInstance(loading), tooSlow]);
      done.abort();
    },
  };
}

async function attempt(work: () => unknown): Promise<unknown> {
  try {
    return await work();
  } catch (cause) {
    throw new PluginError('unavailable', `threw: ${messageOf(cause)}`, { cause });
  }
}

/** A copy without methods, accessors and cycles. */
function asJson(answer: unknown): unknown {
  try {
    return JSON.parse(JSON.stringify(answer));
  } catch {
    throw new PluginError('nonsense', 'answered what is not JSON');
  }
}

function logOf(log: Logger): PluginContext['log'] {
  return {
    debug: (message) => log.debug(String(message)),
    info: (message) => log.info(String(message)),
    warn: (message) => log.warn(String(message)),
    error: (message) => log.error(String(message)),
  };
}
