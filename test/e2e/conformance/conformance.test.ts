import { beforeAll, describe, expect, it } from 'vitest';
import { startDockerRegistry } from '../../servers/index.ts';
import { startProxy } from '../../support/proxy.ts';
import { useResources } from '../../support/resources.ts';
import { pushConfiguration, tokenFor } from '../push-site.ts';
import { basicAuthorization, htpasswdLine, SITE_FILES, UPSTREAM_LOGIN, upstreamOptions } from '../site.ts';
import type { Case } from './case.ts';
import { ConformanceClient } from './client.ts';
import { CONTENT_DISCOVERY } from './content-discovery.ts';
import { CONTENT_MANAGEMENT, DELETES_OFF } from './content-management.ts';
import { LIMITS } from './limits.ts';
import { PULL } from './pull.ts';
import { PUSH } from './push.ts';

const CATEGORIES: Readonly<Record<string, readonly Case[]>> = {
  pull: PULL,
  push: PUSH,
  'content discovery': CONTENT_DISCOVERY,
  'content management': CONTENT_MANAGEMENT,
};

/** The cases of the OCI distribution specification 1.1, each one through the proxy in front of docker-registry. */
describe('conformance', () => {
  const keep = useResources();

  /** The proxy in front of a registry, and the registry without the proxy. */
  async function start(deletes: boolean): Promise<{ proxied: ConformanceClient; direct: ConformanceClient }> {
    const users = htpasswdLine(UPSTREAM_LOGIN);
    const registry = keep(
      await startDockerRegistry({ authentication: { type: 'htpasswd', users }, deletes }),
    );
    const upstreams = { main: upstreamOptions(registry.url), tokened: upstreamOptions(registry.url) };
    const proxy = keep(await startProxy(pushConfiguration(upstreams), { files: SITE_FILES }));
    const scopes = ['team/conformance', 'team/other', 'team/conformance/nowhere'].map(
      (name) => `repository:${name}:pull,push,delete`,
    );
    const token = tokenFor(proxy, scopes);
    return {
      proxied: new ConformanceClient({
        url: proxy.url,
        repository: 'team/conformance',
        otherRepository: 'team/other',
        authorization: () => token,
      }),
      direct: new ConformanceClient({
        url: registry.url,
        repository: 'direct/conformance',
        otherRepository: 'direct/other',
        authorization: async () => basicAuthorization(UPSTREAM_LOGIN),
      }),
    };
  }

  let clients: Awaited<ReturnType<typeof start>>;
  beforeAll(async () => {
    clients = await start(true);
  });

  const limited = new Set(LIMITS.map((limit) => limit.case));
  describe.each(Object.entries(CATEGORIES))('%s', (_category, cases) => {
    it.each(cases.filter(({ name }) => !limited.has(name)))('$name', ({ run }) => run(clients.proxied));
  });

  describe('content management, with deletes switched off', () => {
    it.each(DELETES_OFF)('$name', async ({ run }) => run((await start(false)).proxied));
  });

  describe('what the upstream can not do', () => {
    const all = Object.values(CATEGORIES).flat();

    it.each(LIMITS)('$case: $because', async (limit) => {
      const asked = all.find(({ name }) => name === limit.case);
      if (!asked) throw new Error(`there is no case ${limit.case}`);
      // It is the registry's: without the proxy it is the same. And the list is not longer than it has to be.
      await expect(asked.run(clients.direct)).rejects.toThrow();
      await expect(asked.run(clients.proxied)).rejects.toThrow();
      await limit.instead(clients.proxied);
    });

    it('is listed', () => {
      const passed = all.length + DELETES_OFF.length - LIMITS.length;
      const lines = LIMITS.map((limit) => `  ${limit.case}\n    ${limit.because}\n`);
      process.stdout.write(`\n${passed} cases pass; docker-registry 2.8.2 can not do:\n${lines.join('')}`);
      expect(new Set(LIMITS.map((limit) => limit.case)).size).toBe(LIMITS.length);
    });
  });
});
