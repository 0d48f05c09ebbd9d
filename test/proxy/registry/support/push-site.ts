import { onTestFinished } from 'vitest';
import type { z } from 'zod';
import type { authorizationOptions } from '../../../../src/proxy/policy/index.ts';
import { connect } from '../../upstream/support/connect.ts';
import { startUploadRegistry, type UploadRegistry } from '../../upstream/support/upload-registry.ts';
import { type StartedRegistry, type StartOptions, startRegistry } from './start-registry.ts';

export interface PushSite {
  /** The proxy's own server; `app` leads to `team/app`. */
  readonly registry: StartedRegistry;
  readonly upstream: UploadRegistry;
}

export const PUSH_ALL: z.input<typeof authorizationOptions>['rules'] = [
  { name: 'all', repositories: ['**'], actions: ['pull', 'push', 'delete'] },
];

/** The proxy in front of a registry that takes pushes. */
export async function startPushSite(
  options: Partial<StartOptions> = {},
  upstream?: UploadRegistry,
): Promise<PushSite> {
  const behind = upstream ?? (await startUploadRegistry());
  const registry = await startRegistry({
    upstreams: [connect(behind.origin).upstream],
    routes: [
      { match: { path: 'frozen' }, upstream: 'test', repository: 'team/{name}' },
      { upstream: 'test', repository: 'team/{name}', push: true },
    ],
    rules: PUSH_ALL,
    ...options,
  });
  onTestFinished(() => registry.close());
  return { registry, upstream: behind };
}
