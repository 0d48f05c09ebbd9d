import { randomBytes } from 'node:crypto';
import type { z } from 'zod';
import { Secret } from '../../../../src/core/index.ts';
import { attestationNonce, formatProof, newMachineNonce } from '../../../../src/machine-identity/index.ts';
import type { HttpClient } from '../../../../src/network/index.ts';
import {
  azureAttestedVerifierOptions,
  createAzureAttestedVerifier,
} from '../../../../src/proxy/identity/azure-attested/index.ts';
import type { Outcome, Verifier } from '../../../../src/proxy/identity/index.ts';
import type { StateStore } from '../../../../src/state/index.ts';
import { type Attestation, type AttestedContent, createAttestation } from '../../../servers/azure/index.ts';
import { createMemoryState } from '../support/memory-state.ts';
import { createStillClock, type StillClock } from '../support/still-clock.ts';

export const AUDIENCE = 'docker.example.com';
export const SUBSCRIPTION = 'cccccccc-0000-4000-8000-000000000001';
export const MACHINE = '02aab8a4-74ef-476e-8182-f6d2ba4166a6';

export type AttestedInput = Partial<z.input<typeof azureAttestedVerifierOptions>>;

export interface AttestedWorld {
  readonly clock: StillClock;
  readonly attestation: Attestation;
  readonly state: StateStore;
  /** Of the machine. */
  readonly nonce: string;
  /** Addresses that the verifier fetched certificates from. */
  readonly fetched: string[];
  verifierOf(input?: AttestedInput, client?: HttpClient): Verifier;
  /** Signs a document that is right but for what is given. */
  document(change?: Partial<AttestedContent>, ...rest: Rest): Promise<string>;
  /** The password with this document. */
  proof(document: string, nonce?: string): string;
}

type Rest = Parameters<Attestation['sign']> extends [unknown, ...infer Others] ? Others : never;

/** @param known those who sign for Azure, where they need not be others for each test */
export async function createAttestedWorld(known?: Attestation): Promise<AttestedWorld> {
  const clock = createStillClock();
  const attestation = known ?? (await createAttestation(clock.now()));
  const state = createMemoryState(clock);
  const nonce = newMachineNonce(randomBytes);
  const fetched: string[] = [];
  const microsoft: HttpClient = {
    async request(url) {
      fetched.push(url.href);
      return { status: 200, headers: {}, body: attestation.intermediate.raw };
    },
    close: async () => undefined,
  };
  return {
    clock,
    attestation,
    state,
    nonce,
    fetched,
    verifierOf(input = {}, client = microsoft) {
      const options = azureAttestedVerifierOptions.parse({
        type: 'azure-attested',
        name: 'vms',
        audience: AUDIENCE,
        subscriptions: [SUBSCRIPTION],
        rootsFile: 'roots.pem',
        ...input,
      });
      options.rootsFile?.resolve('/etc/roots.pem', Buffer.from(attestation.root.toString()));
      options.intermediatesFile?.resolve('/etc/i.pem', Buffer.from(attestation.intermediate.toString()));
      return createAzureAttestedVerifier(options, { clock, state, client });
    },
    document: (change = {}, ...rest) =>
      attestation.sign(
        {
          nonce: attestationNonce(nonce, AUDIENCE),
          subscriptionId: SUBSCRIPTION,
          vmId: MACHINE,
          createdAt: clock.now(),
          ...change,
        },
        ...rest,
      ),
    proof: (document, own = nonce) => formatProof('azure-attested', { document, nonce: own }).reveal(),
  };
}

export function verifyWith(verifier: Verifier, password: string): Promise<Outcome> {
  return verifier.verify(
    { username: '_azure', password: new Secret(password) },
    new AbortController().signal,
  );
}
