import { expect, it, onTestFinished } from 'vitest';
import { startProxy } from '../support/proxy.ts';
import { waitFor } from '../support/wait.ts';

const CARELESS = `
export function createVerifier() {
  return {
    verify: async () => {
      Promise.reject(new Error('a promise that nobody waits for'));
      return { refused: { reason: 'unknown' } };
    },
  };
}
`;

it('a module plugin that leaves a rejected promise behind does not end the proxy', async () => {
  const proxy = await startProxy(
    {
      upstreams: {},
      routes: [],
      authentication: { verifiers: [{ name: 'careless', type: 'module', file: 'plugin.mjs' }] },
    },
    { files: { 'plugin.mjs': CARELESS } },
  );
  onTestFinished(proxy.close);
  const headers = { authorization: `Basic ${Buffer.from('anna:secret').toString('base64')}` };
  for (let login = 0; login < 2; login += 1) {
    expect((await fetch(`${proxy.url}/token`, { headers })).status).toBe(401);
  }
  await waitFor(
    'the log line',
    () => proxy.logLines().some(({ msg }) => String(msg).includes('was not handled')) || undefined,
  );
  expect((await fetch(`${proxy.url}/v2/`)).status).toBe(401);
});
