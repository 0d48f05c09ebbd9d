import type { TokenService } from '../token/index.ts';
import type { Upstream } from '../upstream/index.ts';
import type { Web } from '../web/index.ts';
import type { Router } from './routing.ts';
import type { UploadSessions } from './upload-sessions.ts';

/** Everything that one version of the configuration gives a request to work with. */
export interface RegistryParts {
  readonly router: Router;
  readonly tokens: TokenService;
  readonly upstreams: ReadonlyMap<string, Upstream>;
  readonly uploads: UploadSessions;
  /** Whether clients without a login get tokens. */
  readonly anonymous: boolean;
  /** The URL that clients know, without a slash at its end; undefined: what the request says. */
  readonly publicUrl: string | undefined;
  /** The header that trusted proxies pass client certificates on in, in lower case. */
  readonly clientCertificateHeader: string | undefined;
  /** The pages where people sign in; undefined when no verifier has any. */
  readonly web?: Web | undefined;
  /** Whether the headers of a proxy at this address are believed. */
  trusts(address: string): boolean;
  /** A client that takes no byte, or sends none of a body, for so long is cut off. */
  readonly progressTimeoutMs: number;
}

/** A request's hold on the parts: they live until it lets go, whatever is reloaded meanwhile. */
export interface PartsLease {
  readonly parts: RegistryParts;
  release(): void;
}

/** Gives each request the parts of the newest configuration. */
export type LeaseParts = () => PartsLease;
