import { afterAll, beforeAll, describe } from 'vitest';
import { systemClock } from '../../../src/core/index.ts';
import { createCredentialProvider } from '../../../src/credentials/index.ts';
import {
  EXAMPLE_CREDENTIAL,
  EXAMPLE_REGISTRY,
  type ExamplePlugin,
  examplePlugins,
} from '../../plugins/example-plugins.ts';
import { silentLog } from '../../plugins/support.ts';
import { describeProvider } from '../provider-suite.ts';

describe.each(Object.entries(examplePlugins))('the example of %s', (kind, start) => {
  let running: ExamplePlugin;

  beforeAll(async () => {
    running = await start();
  });
  afterAll(() => running?.close());

  const create = () => createCredentialProvider(running.options, { clock: systemClock, log: silentLog });
  const type = kind.split(' ')[0] ?? kind;

  describeProvider(kind, { type, create, registry: EXAMPLE_REGISTRY, expected: EXAMPLE_CREDENTIAL });
  describeProvider(`${kind}, for an unknown registry`, {
    type,
    create,
    registry: 'other.example.net',
    expected: undefined,
  });
});
