/**
 * The types of a `module` plugin: `import type { CreateVerifier } from 'docker-registry-proxy/plugin'`.
 * @module
 */

/** What the proxy gives to a module when it is first used. */
export interface PluginContext {
  /** The verifier's name in the configuration, or the type of the provider. */
  readonly name: string;
  /** The proxy's log. Never log a password. */
  readonly log: PluginLog;
  /** Aborted when the plugin is closed, because the proxy ends or has a new configuration. */
  readonly signal: AbortSignal;
}

export interface PluginLog {
  debug(message: string): void;
  info(message: string): void;
  warn(message: string): void;
  error(message: string): void;
}

/** Comes along with each question. */
export interface CallOptions {
  /** Aborted when nobody waits for the answer any more. Hand it on to whatever you call. */
  readonly signal: AbortSignal;
}

/** Somebody whom the plugin knows; as JSON at most 4 KiB. */
export interface PluginIdentity {
  readonly name: string;
  readonly groups?: readonly string[];
  /** JSON values, for the rules to look at. */
  readonly claims?: Readonly<Record<string, unknown>>;
  /** A mark of the proof behind the login; kept with a refresh token and shown to `renew`. */
  readonly anchor?: string;
}

/** Exactly one of these. Throwing is the same as `error`, and counts as a failure. */
export type LoginAnswer =
  | { readonly identity: PluginIdentity }
  /** The credential is wrong. The reason is for the log. */
  | { readonly refused: { readonly reason?: string } }
  /** The plugin can't tell. The message is for the log. */
  | { readonly error: { readonly message?: string } };

export interface VerifyRequest {
  readonly username: string;
  readonly password: string;
  readonly context: { readonly name: string };
}

export interface RenewRequest {
  /** As the plugin gave it earlier. */
  readonly identity: PluginIdentity;
  readonly context: { readonly name: string };
}

/** Checks the credentials that clients show. */
export interface Verifier {
  verify(request: VerifyRequest, options: CallOptions): LoginAnswer | Promise<LoginAnswer>;
  /** Whether somebody is still welcome. Without this method, the plugin's users get no refresh tokens. */
  renew?(request: RenewRequest, options: CallOptions): LoginAnswer | Promise<LoginAnswer>;
  close?(): void | Promise<void>;
}

export interface CredentialRequest {
  /** `host` or `host:port` of the upstream. */
  readonly registry: string;
  readonly context: { readonly name: string };
}

/** Exactly one of these. */
export type CredentialAnswer =
  | {
      readonly credential: {
        readonly username: string;
        readonly password: string;
        /** A date, or its text as in RFC 3339; missing for a credential that does not end by itself. */
        readonly expiresAt?: Date | string;
      };
    }
  /** There is none for this registry; it is asked as nobody. */
  | { readonly none: Record<string, never> }
  | { readonly error: { readonly message?: string } };

/** Produces the credentials that are shown to upstream registries. */
export interface Provider {
  credential(request: CredentialRequest, options: CallOptions): CredentialAnswer | Promise<CredentialAnswer>;
  close?(): void | Promise<void>;
}

/** Exported as `createVerifier`, or as the default. `options` is what the configuration says under `options`. */
export type CreateVerifier = (
  options: Readonly<Record<string, unknown>>,
  context: PluginContext,
) => Verifier | Promise<Verifier>;

/** Exported as `createProvider`, or as the default. */
export type CreateProvider = (
  options: Readonly<Record<string, unknown>>,
  context: PluginContext,
) => Provider | Promise<Provider>;
