import type { Backend } from './backend.ts';

/** A backend whose program is loaded with the first call: a node that does without it does not keep it in memory. */
export function createLateBackend(type: Backend['type'], load: () => Promise<Backend>): Backend {
  let loaded: Promise<Backend> | undefined;

  function backend(): Promise<Backend> {
    loaded ??= load().catch((error: unknown) => {
      loaded = undefined;
      throw error;
    });
    return loaded;
  }

  return {
    type,
    unary: async (call, signal) => (await backend()).unary(call, signal),
    pass: async (call) => (await backend()).pass(call),
    probe: async (signal) => (await backend()).probe(signal),
    close: async () => (await loaded?.catch(() => undefined))?.close(),
  };
}
