import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadProxyConfig } from '../../src/cli/proxy-config.ts';
import { ownFolder } from '../support/own-folder.ts';
import { prepare } from './stand-ins.ts';

/** Those of the proxy; what belongs to a pipeline or a tool is none. */
const EXAMPLES = readdirSync('examples', { recursive: true, encoding: 'utf8' }).filter(
  (name) => name.endsWith('.yaml') && /^upstreams:/m.test(readFileSync(join('examples', name), 'utf8')),
);

describe('an example', () => {
  it.each(EXAMPLES)('%s is a configuration that can be used', async (name) => {
    const { file, environment } = await prepare(
      readFileSync(join('examples', name), 'utf8'),
      await ownFolder(),
    );
    const { value } = await loadProxyConfig(file, environment);
    expect(value.authorization.rules.length).toBeGreaterThan(0);
  });

  it('is among those that are looked at', () => {
    expect(EXAMPLES.length).toBeGreaterThanOrEqual(6);
  });
});
