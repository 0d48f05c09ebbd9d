import { expect, it, onTestFinished } from 'vitest';
import { startProxy } from '../support/proxy.ts';
import { waitFor } from '../support/wait.ts';

/** What the module does when it is asked, and what the client and the log hear. */
const MISTAKES: readonly [
  string,
  { readonly code: string; readonly status: number; readonly log: string },
][] = [
  [
    'leaves a rejected promise behind',
    {
      code: "Promise.reject(new Error('a promise that nobody waits for')); return { refused: {} };",
      status: 401,
      log: 'was not handled',
    },
  ],
  [
    'throws from a timer',
    {
      code: "setTimeout(() => { throw new Error('late'); }); return new Promise(() => {});",
      status: 503,
      log: 'the thread of a plugin has ended',
    },
  ],
  ['ends its process', { code: 'process.exit(0);', status: 503, log: 'the thread of a plugin has ended' }],
  ['never ends a loop', { code: 'for (;;);', status: 503, log: 'the thread of a plugin has ended' }],
];

it.each(MISTAKES)(
  'a module plugin that %s does not end or stop the proxy',
  async (_, { code, status, log }) => {
    const careless = `export const createVerifier = () => ({ verify: async () => { ${code} } });`;
    const proxy = await startProxy(
      {
        upstreams: {},
        routes: [],
        authentication: {
          verifiers: [{ name: 'careless', type: 'module', file: 'plugin.mjs', timeout: '1s' }],
        },
      },
      { files: { 'plugin.mjs': careless } },
    );
    onTestFinished(proxy.close);
    const headers = { authorization: `Basic ${Buffer.from('anna:secret').toString('base64')}` };
    const login = fetch(`${proxy.url}/token`, { headers });
    expect((await fetch(`${proxy.url}/v2/`)).status).toBe(401);
    expect((await login).status).toBe(status);
    await waitFor(
      'the log line',
      () => proxy.logLines().some(({ msg }) => String(msg).includes(log)) || undefined,
    );
    expect((await fetch(`${proxy.url}/v2/`)).status).toBe(401);
  },
);
