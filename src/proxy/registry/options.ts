import ipaddr from 'ipaddr.js';
import { z } from 'zod';
import { optionTypes, parseUrl } from '../../core/index.ts';

const listenAddress = z
  .string()
  .regex(/^(?:\[[0-9a-fA-F:]+\]|[A-Za-z0-9.-]+):\d{1,5}$/, 'expected host:port, such as 0.0.0.0:5000')
  .refine((text) => Number(text.slice(text.lastIndexOf(':') + 1)) <= 65_535, 'expected a port up to 65535');

const network = z
  .string()
  .refine(
    (text) => ipaddr.isValidCIDR(text) || ipaddr.isValid(text),
    'expected an address or a network, such as 10.0.0.0/8',
  );

/** `server:`, where and how clients are heard. */
export const serverOptions = z.strictObject({
  address: listenAddress
    .default('127.0.0.1:5000')
    .describe('Where clients connect. Port 0 takes a free one.'),
  publicUrl: z
    .string()
    .refine(isPublicUrl, 'expected https://host or http://host in lower case, without path and user name')
    .transform((url) => new URL(url).origin)
    .optional()
    .describe("The URL that clients know. When missing, the request's Host is used."),
  trustedProxies: z
    .array(network)
    .default([])
    .describe('Proxies in front whose X-Forwarded-For, -Host and -Proto are believed.'),
  adminAddress: listenAddress
    .default('127.0.0.1:9090')
    .describe('Serves /metrics, /healthz and /readyz. Not for clients.'),
  tls: z
    .strictObject({
      certificateFile: optionTypes.file.describe('PEM, the leaf first. Reloaded when it changes.'),
      keyFile: optionTypes.file.describe('PEM. Reloaded when it changes.'),
      clientCertificateAuthorityFile: optionTypes.file
        .optional()
        .describe(
          'PEM. Clients are asked for a certificate of these; they may come without. For mtls verifiers.',
        ),
    })
    .optional()
    .describe('Serve https. Without it, something in front has to.'),
  clientCertificateHeader: z
    .string()
    .regex(/^[a-z0-9-]+$/, 'expected a header name in lower case')
    .optional()
    .describe(
      'Header in which a trusted proxy passes on the certificate that it has checked: PEM, percent-encoded. The proxy has to overwrite it.',
    ),
  maximumConnections: z.int().min(1).default(10_000).describe('Further clients are turned away.'),
  headerTimeout: optionTypes.duration.prefault('10s').describe('Until the header of a request is complete.'),
  progressTimeout: optionTypes.duration
    .prefault('60s')
    .describe('A client that takes no byte, or sends none of a push, for so long is cut off.'),
  drainTimeout: optionTypes.duration
    .prefault('5m')
    .describe('How long running pulls and pushes may go on after SIGTERM.'),
});
export type ServerOptions = z.infer<typeof serverOptions>;

const NAME_PREFIX = /^[a-z0-9]+(?:(?:\.|_|__|-+|\/)[a-z0-9]+)*$/;

/** One entry of `routes:`. */
export const routeOptions = z.strictObject({
  match: z
    .strictObject({
      host: z
        .string()
        .regex(/^[a-z0-9.-]+(?::\d+)?$|^\[[0-9a-f:]+\](?::\d+)?$/, 'expected a host in lower case')
        .optional()
        .describe('The host that the client asked. Without a port, any port.'),
      path: z
        .string()
        .regex(NAME_PREFIX, 'expected a name prefix such as ecr or team/a')
        .optional()
        .describe('First segments of the name.'),
      namespace: z
        .string()
        .regex(/^[a-z0-9.-]+(?::\d+)?$/, 'expected a registry host such as docker.io')
        .optional()
        .describe('The registry that a containerd mirror stands for (`?ns=`).'),
    })
    .default({})
    .describe('All that is named has to match. An empty match takes every name.'),
  upstream: z.string().describe('A key of `upstreams`.'),
  repository: z
    .string()
    .refine(isRepositoryTemplate, 'expected a repository name with {name} once, as its last segments')
    .default('{name}')
    .describe('What the upstream is asked for; {name} is what host and path left over.'),
  blobs: z
    .enum(['stream', 'redirect'])
    .default('stream')
    .describe("`redirect` hands the upstream's redirects to its storage on to the client."),
  push: z
    .boolean()
    .default(false)
    .describe('Pushes and deletes go through too, for those whom a rule lets `push` or `delete`.'),
});
export type RouteOptions = z.infer<typeof routeOptions>;

function isPublicUrl(text: string): boolean {
  const url = parseUrl(text);
  return url !== undefined && /^https?:$/.test(url.protocol) && text.replace(/\/$/, '') === url.origin;
}

function isRepositoryTemplate(text: string): boolean {
  const prefix = text.slice(0, -'{name}'.length);
  return (
    text.endsWith('{name}') &&
    (prefix === '' || (prefix.endsWith('/') && NAME_PREFIX.test(prefix.slice(0, -1))))
  );
}
