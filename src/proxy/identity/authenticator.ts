import type { X509Certificate } from 'node:crypto';
import { type Clock, systemClock, TooManyWaitError } from '../../core/index.ts';
import type { Logger, Metrics } from '../../telemetry/index.ts';
import { type Identity, isAnonymous } from './identity.ts';
import { claimedIssuer } from './issuer.ts';
import type { Limited, LoginLimits } from './login-limits.ts';
import type { AuthenticationOptions } from './options.ts';
import { settle } from './settle.ts';
import type { Outcome, ShownCredential, Verifier } from './verifier.ts';

/** Where a login comes from. */
export interface LoginOrigin {
  /** The client's address, as far as trusted proxies vouch for it. */
  readonly address: string;
  readonly signal: AbortSignal;
}

/** An outcome, or too many failures before it: then nobody was asked. */
export type LoginOutcome = Outcome | Limited;

/** Knows which verifier to ask, and puts their answers together. */
export interface Authenticator {
  /** Whether clients without a login get tokens. */
  readonly anonymous: boolean;
  /**
   * Asks the verifier that the user name picks, and only that one; those of the issuer of a JWT that is shown as the password; else
   * those that nothing picks, in order, until one knows the credential. Where none does and one could not tell, nobody
   * can. Never rejects.
   */
  authenticate(credential: ShownCredential, origin: LoginOrigin): Promise<LoginOutcome>;
  /** Whether any verifier takes client certificates. */
  readonly takesCertificates: boolean;
  /** Asks those that take certificates, in order, until one knows it. Never rejects. */
  authenticateCertificate(certificate: X509Certificate, signal: AbortSignal): Promise<Outcome>;
  /** Asks the verifier that the identity came from whether it still holds. Never rejects. */
  renew(identity: Identity, anchor: string | undefined, signal: AbortSignal): Promise<Outcome>;
  /** Whether {@link renew} has somebody to ask: without, there is no refresh token. */
  canRenew(identity: Identity): boolean;
  /** Closes the verifiers too. */
  close(): Promise<void>;
}

export interface AuthenticatorDependencies {
  readonly log: Logger;
  readonly metrics: Pick<Metrics, 'logins'>;
  readonly limits: LoginLimits;
  readonly clock?: Clock;
}

/** Who is asked, and whose failure it is when none of them knows the credential. */
interface Choice {
  readonly candidates: readonly Verifier[];
  readonly account: string | undefined;
}

interface Question {
  readonly verifier: Verifier;
  readonly put: (signal: AbortSignal) => Promise<Outcome>;
}

const TIME_LIMIT_MS = 10_000;

export function createAuthenticator(
  options: Pick<AuthenticationOptions, 'anonymous'>,
  verifiers: readonly Verifier[],
  dependencies: AuthenticatorDependencies,
): Authenticator {
  const { log, metrics, limits, clock = systemClock } = dependencies;

  async function ask(
    verifier: Verifier,
    question: (signal: AbortSignal) => Promise<Outcome>,
    signal: AbortSignal,
  ): Promise<Outcome> {
    const answered = new AbortController();
    const tooSlow = new AbortController();
    clock.sleep(TIME_LIMIT_MS, answered.signal).then(
      () => tooSlow.abort(new Error(`no answer within ${TIME_LIMIT_MS / 1000} s`)),
      () => undefined,
    );
    const limited = AbortSignal.any([signal, tooSlow.signal]);
    const outcome = checkOutcome(verifier, await settle(() => question(limited), limited));
    answered.abort();
    metrics.logins.inc({ verifier: verifier.name, outcome: outcome.type });
    if (outcome.type === 'cannot-tell' && !signal.aborted) {
      log.warn(
        { verifier: verifier.name, reason: outcome.reason, err: outcome.cause },
        'a verifier could not tell',
      );
    }
    return outcome;
  }

  function choose({ username, password }: ShownCredential): Choice {
    const byName = verifiers.find((verifier) => verifier.username === username);
    if (byName) {
      // Many machines share the name of a verifier of tokens: a stranger's failures must not shut them all out.
      const takesTokensOnly = byName.issuer !== undefined || byName.issued !== undefined;
      return { candidates: [byName], account: takesTokensOnly ? undefined : username };
    }
    const issuer = claimedIssuer(password);
    const ofIssuer = verifiers.filter(
      (verifier) => verifier.issuer !== undefined && verifier.issuer === issuer,
    );
    if (ofIssuer.length > 0) return { candidates: ofIssuer, account: undefined };
    const issuers = verifiers.filter((verifier) => verifier.issued?.(password));
    if (issuers.length > 0) return { candidates: issuers, account: undefined };
    const candidates = verifiers.filter(
      (verifier) => verifier.username === undefined && verifier.issuer === undefined,
    );
    return { candidates, account: username };
  }

  async function firstToKnow(questions: readonly Question[], signal: AbortSignal): Promise<Outcome> {
    const refusals: string[] = [];
    let undecided: Outcome | undefined;
    for (const { verifier, put } of questions) {
      const outcome = await ask(verifier, put, signal);
      if (outcome.type === 'identity' || signal.aborted) return outcome;
      if (outcome.type === 'refused') refusals.push(`${verifier.name}: ${outcome.reason}`);
      else undecided ??= { ...outcome, reason: `${verifier.name}: ${outcome.reason}` };
    }
    const reason = refusals.join('; ') || 'no verifier takes this login';
    return undecided ?? { type: 'refused', reason };
  }

  function renewerOf(identity: Identity): Verifier | undefined {
    if (isAnonymous(identity)) return undefined;
    return verifiers.find((verifier) => verifier.name === identity.verifier && verifier.renew);
  }

  return {
    anonymous: options.anonymous,
    async authenticate(credential, { address, signal }) {
      try {
        const { candidates, account } = choose(credential);
        const attempt = await limits.begin(address, account, signal);
        if (attempt.type === 'limited') return attempt;
        const questions = candidates.map((verifier) => ({
          verifier,
          put: (limited: AbortSignal) => verifier.verify(credential, limited),
        }));
        try {
          const outcome = await firstToKnow(questions, signal);
          if (outcome.type === 'cannot-tell') return outcome;
          return (await (outcome.type === 'identity' ? attempt.succeeded() : attempt.failed())) ?? outcome;
        } finally {
          attempt.undecided();
        }
      } catch (cause) {
        const isFull = cause instanceof TooManyWaitError;
        return {
          type: 'cannot-tell',
          reason: isFull ? cause.message : 'failed logins can not be counted',
          cause,
        };
      }
    },
    takesCertificates: verifiers.some((verifier) => verifier.verifyCertificate),
    authenticateCertificate(certificate, signal) {
      const questions = verifiers.flatMap((verifier) => {
        const put = verifier.verifyCertificate?.bind(verifier, certificate);
        return put ? [{ verifier, put }] : [];
      });
      return firstToKnow(questions, signal);
    },
    async renew(identity, anchor, signal) {
      const verifier = renewerOf(identity);
      if (!verifier?.renew) {
        return { type: 'refused', reason: `${identity.verifier} does not vouch for earlier logins` };
      }
      const renew = verifier.renew.bind(verifier);
      const outcome = await ask(verifier, (limited) => renew(identity, anchor, limited), signal);
      if (outcome.type === 'identity' && outcome.identity.name !== identity.name) {
        return { type: 'cannot-tell', reason: `${verifier.name} renewed another name than it was asked for` };
      }
      return outcome;
    },
    canRenew: (identity) => renewerOf(identity) !== undefined,
    async close() {
      await Promise.all(verifiers.map((verifier) => verifier.close()));
    },
  };
}

/** The identity is named after the verifier that answered, whatever that verifier says. */
function checkOutcome(verifier: Verifier, outcome: Outcome): Outcome {
  if (outcome.type !== 'identity') return outcome;
  const { name, groups, claims } = outcome.identity;
  if (name === '') return { type: 'cannot-tell', reason: 'the verifier named nobody' };
  return { ...outcome, identity: { verifier: verifier.name, name, groups, claims } };
}
