import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { parseRepositoryName, type RepositoryName } from '../../../src/oci/index.ts';
import { createRouter, routeOptions } from '../../../src/proxy/registry/index.ts';

type RouteInput = z.input<typeof routeOptions>;

function routerOf(...routes: RouteInput[]) {
  return createRouter(z.array(routeOptions).parse(routes));
}

function ask(text: string, door: { host?: string; namespace?: string } = {}) {
  return { host: door.host ?? 'docker.example.com', namespace: door.namespace, name: name(text) };
}

function name(text: string): RepositoryName {
  const parsed = parseRepositoryName(text);
  if (!parsed) throw new Error(`${text} is no name`);
  return parsed;
}

describe('routes', () => {
  it('by host, with any port unless the route names one', () => {
    const router = routerOf(
      { match: { host: 'docker.example.com:8443' }, upstream: 'b' },
      { match: { host: 'docker.example.com' }, upstream: 'a', repository: 'my-gcp-project/{name}' },
    );
    expect(router.route(ask('app'))).toMatchObject({
      upstream: 'a',
      repository: 'my-gcp-project/app',
      index: 1,
    });
    expect(router.route(ask('app', { host: 'docker.example.com:5000' }))).toMatchObject({ upstream: 'a' });
    expect(router.route(ask('app', { host: 'docker.example.com:8443' }))).toMatchObject({
      upstream: 'b',
      repository: 'app',
    });
    expect(router.route(ask('app', { host: 'other.example.com' }))).toBeUndefined();
    expect(router.route(ask('app', { host: 'docker.example.com.evil.com' }))).toBeUndefined();
  });

  it('by path: whole segments, which are taken off', () => {
    const router = routerOf({ match: { path: 'ecr' }, upstream: 'amazon', repository: 'prod/{name}' });
    expect(router.route(ask('ecr/team/app'))).toMatchObject({
      upstream: 'amazon',
      repository: 'prod/team/app',
    });
    for (const other of ['ecr', 'ecrx/app', 'app/ecr'])
      expect(router.route(ask(other)), other).toBeUndefined();
  });

  it('by namespace, and a request with one never takes a route without', () => {
    const router = routerOf({ match: { namespace: 'docker.io' }, upstream: 'hub' }, { upstream: 'own' });
    expect(router.route(ask('library/alpine', { namespace: 'docker.io' }))).toMatchObject({
      upstream: 'hub',
    });
    expect(router.route(ask('library/alpine', { namespace: 'index.docker.io' }))).toMatchObject({
      upstream: 'hub',
    });
    expect(router.route(ask('library/alpine'))).toMatchObject({ upstream: 'own' });
    expect(router.route(ask('library/alpine', { namespace: 'evil.example' }))).toBeUndefined();
  });

  it('the first match wins, and no match is nowhere', () => {
    const router = routerOf(
      { match: { path: 'a' }, upstream: 'one' },
      { match: { path: 'a' }, upstream: 'two' },
    );
    expect(router.route(ask('a/b'))).toMatchObject({ upstream: 'one' });
    expect(router.route(ask('b'))).toBeUndefined();
    expect(routerOf().route(ask('a'))).toBeUndefined();
  });

  it('leads back to the names that lead there', () => {
    const router = routerOf(
      { match: { path: 'x' }, upstream: 'a', repository: 'p/{name}' },
      { match: { path: 'x' }, upstream: 'b' },
      { upstream: 'c' },
    );
    const [a, b, c] = router.listings({ host: 'h', namespace: undefined });
    expect(a?.clientName(name('p/app'))).toBe('x/app');
    expect(a?.clientName(name('q/app'))).toBeUndefined();
    expect(b?.clientName(name('app'))).toBeUndefined();
    expect(c?.clientName(name('app'))).toBe('app');
    expect(c?.clientName(name('x/app'))).toBeUndefined();
  });

  it('any name there and back is the same name', () => {
    const segment = fc.stringMatching(/^[a-z0-9]{1,6}$/);
    const path = fc.array(segment, { minLength: 1, maxLength: 3 }).map((segments) => segments.join('/'));
    const optionalPath = fc.option(path, { nil: undefined });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(optionalPath, optionalPath), { minLength: 1, maxLength: 4 }),
        path,
        (routes, asked) => {
          const router = routerOf(
            ...routes.map(([prefix, repository], index) => ({
              match: prefix === undefined ? {} : { path: prefix },
              upstream: String(index),
              repository: repository === undefined ? '{name}' : `${repository}/{name}`,
            })),
          );
          const routed = router.route(ask(asked));
          if (!routed) return;
          const back = router
            .listings({ host: 'docker.example.com', namespace: undefined })
            .filter((listing) => listing.upstream === routed.upstream)
            .map((listing) => listing.clientName(routed.repository));
          expect(back).toContain(asked);
        },
      ),
    );
  });
});
