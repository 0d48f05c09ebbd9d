import { afterAll, beforeAll, describe } from 'vitest';
import { systemClock } from '../../../../src/core/index.ts';
import { createPluginVerifier } from '../../../../src/proxy/identity/index.ts';
import { EXAMPLE_USER, type ExamplePlugin, examplePlugins } from '../../../plugins/example-plugins.ts';
import { silentLog } from '../../../plugins/support.ts';
import { describeVerifier } from '../verifier-suite.ts';

describe.each(Object.entries(examplePlugins))('the example of %s', (kind, start) => {
  let running: ExamplePlugin;

  beforeAll(async () => {
    running = await start();
  });
  afterAll(() => running?.close());

  describeVerifier(kind, async () => ({
    verifier: createPluginVerifier(
      { ...running.options, name: 'custom' },
      { clock: systemClock, log: silentLog },
    ),
    username: EXAMPLE_USER.username,
    password: EXAMPLE_USER.password,
    identityName: EXAMPLE_USER.username,
    unknownUsername: 'zoe',
  }));
});
