import { z } from 'zod';
import { stateOptions } from '../state/index.ts';
import { logOptions } from '../telemetry/index.ts';
import { cacheOptions } from './cache/index.ts';
import { authenticationOptions } from './identity/index.ts';
import { authorizationOptions } from './policy/index.ts';
import { routeOptions, serverOptions } from './registry/index.ts';
import { tokenOptions } from './token/index.ts';
import { upstreamOptions } from './upstream/index.ts';

const upstreamName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'expected lower-case letters, digits and hyphens');

/** The whole configuration file of `drp serve`. */
export const proxyOptions = z
  .strictObject({
    server: serverOptions.prefault({}),
    upstreams: z.record(upstreamName, upstreamOptions),
    routes: z.array(routeOptions).describe('The first that matches wins. No match is NAME_UNKNOWN.'),
    authentication: authenticationOptions.prefault({}),
    authorization: authorizationOptions.prefault({}),
    tokens: tokenOptions.prefault({}),
    cache: cacheOptions.default({ type: 'none' }),
    state: stateOptions.prefault({ type: 'embedded', directory: './data' }),
    log: logOptions.prefault({}),
  })
  .superRefine(({ routes, upstreams }, context) => {
    for (const [index, { upstream }] of routes.entries()) {
      if (Object.hasOwn(upstreams, upstream)) continue;
      const known = Object.keys(upstreams).join(', ') || 'none';
      context.addIssue({
        code: 'custom',
        path: ['routes', index, 'upstream'],
        message: `there is no upstream ${upstream}; known: ${known}`,
      });
    }
  });
export type ProxyOptions = z.infer<typeof proxyOptions>;
