import type { X509Certificate } from 'node:crypto';
import type { Clock } from '../../../core/index.ts';
import { attestationNonce, isAttestedProof, parseAttestedProof } from '../../../machine-identity/index.ts';
import { createHttpClient, type HostLookup, type HttpClient } from '../../../network/index.ts';
import type { StateStore } from '../../../state/index.ts';
import type { Identity } from '../identity.ts';
import { createInstanceRecords } from '../instance-records/index.ts';
import { settle } from '../settle.ts';
import type { Outcome, ShownCredential, Verifier } from '../verifier.ts';
import type { AttestedFacts } from './attested-facts.ts';
import { checkDocument } from './check-document.ts';
import { DocumentError } from './document-error.ts';
import {
  createFetchedIntermediates,
  createGivenIntermediates,
  type IntermediateSource,
} from './intermediates.ts';
import type { AzureAttestedVerifierOptions } from './options.ts';
import { azureRoots, readCertificates } from './trusted-certificates.ts';

export interface AttestedVerifierDependencies {
  readonly clock: Clock;
  readonly state: StateStore;
  readonly resolve?: HostLookup;
  /** Fetches certificates from Microsoft. */
  readonly client?: HttpClient;
}

const TIMEOUT_MS = 5_000;
const MAXIMUM_BYTES = 16 * 1024;

/**
 * Documents that Azure's metadata service signs for a machine, with the nonce that the machine keeps; the user name plays no
 * part. The first login binds the machine to that nonce.
 * @throws {Error} for a file of certificates that can't be used
 */
export function createAzureAttestedVerifier(
  options: AzureAttestedVerifierOptions,
  dependencies: AttestedVerifierDependencies,
): Verifier {
  const { name, username, audience, leeway: leewayMs, maximumAge: maximumAgeMs } = options;
  const { clock, state } = dependencies;
  const roots = rootsOf(options);
  const intermediates = intermediateSource(options, dependencies);
  const records = createInstanceRecords(
    {
      verifier: name,
      firstUseMs: maximumAgeMs,
      maximumAgeMs,
      leewayMs,
      keepMs: options.keepBinding,
      rebind: options.rebind,
    },
    { state, clock },
  );
  let closed = false;

  async function check({ password }: ShownCredential): Promise<Outcome> {
    const proof = parseAttestedProof(password);
    if (!proof) return refused('it is no document of Azure with the nonce of a machine');
    const { document, nonce } = proof;
    const expected = { roots, signers: options.signers, maximumAgeMs, leewayMs };
    const facts = await checkDocument(
      document,
      { ...expected, nonce: attestationNonce(nonce, audience) },
      { intermediates, now: () => clock.now() },
    );
    const identity = identityOf(name, facts);
    const refusal = refusalOf(options, identity);
    if (refusal !== undefined) return refused(refusal);
    const shown = { instance: identity.name, documentTime: facts.createdAt, nonce };
    const admission = await records.admit(shown);
    return admission.type === 'admitted'
      ? { type: 'identity', identity, anchor: admission.anchor }
      : admission;
  }

  async function tell(work: () => Promise<Outcome>, signal: AbortSignal): Promise<Outcome> {
    if (closed) return { type: 'cannot-tell', reason: 'the verifier is closed' };
    return settle(async () => {
      try {
        return await work();
      } catch (error) {
        if (error instanceof DocumentError) return refused(error.message);
        throw error;
      }
    }, signal);
  }

  return {
    name,
    ...(username !== undefined && { username }),
    issued: isAttestedProof,
    verify: (credential, signal) => tell(() => check(credential), signal),
    renew: (identity, anchor, signal) =>
      tell(async () => {
        const refusal = refusalOf(options, identity);
        if (refusal !== undefined) return refused(refusal);
        const admission = await records.confirm(identity.name, anchor);
        return admission.type === 'admitted'
          ? { type: 'identity', identity, anchor: admission.anchor }
          : admission;
      }, signal),
    async close() {
      if (closed) return;
      closed = true;
      await intermediates.close();
    },
  };
}

export function rootsOf({ rootsFile }: AzureAttestedVerifierOptions): readonly X509Certificate[] {
  return rootsFile ? readCertificates(rootsFile) : azureRoots();
}

export function intermediateSource(
  { intermediatesFile }: AzureAttestedVerifierOptions,
  { clock, client, resolve }: Omit<AttestedVerifierDependencies, 'state'>,
): IntermediateSource {
  if (intermediatesFile) return createGivenIntermediates(readCertificates(intermediatesFile));
  const limits = { timeoutMs: TIMEOUT_MS, maximumBytes: MAXIMUM_BYTES, ...(resolve && { resolve }) };
  return createFetchedIntermediates({
    clock,
    client: client ?? createHttpClient({ ...limits, reach: 'public' }),
  });
}

function identityOf(verifier: string, { subscriptionId, vmId, sku }: AttestedFacts): Identity {
  return {
    verifier,
    name: `${subscriptionId}/${vmId}`,
    groups: [],
    claims: { subscriptionId, vmId, ...(sku !== undefined && sku !== '' && { sku }) },
  };
}

/** By the name, so that a renewed identity is judged by the lists of now. */
function refusalOf(
  { subscriptions, virtualMachines }: AzureAttestedVerifierOptions,
  { name }: Identity,
): string | undefined {
  const [subscription = '', machine = ''] = name.split('/');
  if (!subscriptions.includes(subscription)) return `the subscription ${subscription} is not let in`;
  if (virtualMachines && !virtualMachines.includes(machine)) return `the machine ${machine} is not let in`;
  return undefined;
}

function refused(reason: string): Outcome {
  return { type: 'refused', reason };
}
