import { randomBytes } from 'node:crypto';
import { onTestFinished } from 'vitest';
import type { z } from 'zod';
import { FolderReference, Secret } from '../../../../src/core/index.ts';
import { formatDocumentProof, newMachineNonce } from '../../../../src/machine-identity/index.ts';
import { createDocumentVerifier, documentVerifierOptions } from '../../../../src/proxy/identity/aws/index.ts';
import type { Outcome, Verifier } from '../../../../src/proxy/identity/index.ts';
import { createStateStore, type StateStore } from '../../../../src/state/index.ts';
import {
  createDocumentSigner,
  type DocumentSigner,
  instanceDocument,
  type MessageOptions,
  signedMessage,
} from '../../../servers/aws/index.ts';
import { ownFolder } from '../../../support/own-folder.ts';
import { createStillClock, type StillClock } from '../support/still-clock.ts';

export const ACCOUNT = '111122223333';
export const INSTANCE = 'i-0123456789abcdef0';
export const INSTANCE_ARN = `arn:aws:ec2:eu-west-1:${ACCOUNT}:instance/${INSTANCE}`;
export const MINE = newMachineNonce(randomBytes);
export const THEIRS = newMachineNonce(randomBytes);

export type DocumentInput = Partial<z.input<typeof documentVerifierOptions>>;

/** Keys of AWS for two regions, and one of an attacker who names himself as AWS does. */
export interface Signers {
  readonly ireland: DocumentSigner;
  readonly frankfurt: DocumentSigner;
  readonly attacker: DocumentSigner;
}

/** Making keys takes a while: once for each file of tests. */
export async function createSigners(): Promise<Signers> {
  const [ireland, frankfurt, attacker] = await Promise.all([
    createDocumentSigner(),
    createDocumentSigner(),
    createDocumentSigner(),
  ]);
  return { ireland, frankfurt, attacker };
}

export interface DocumentBench {
  readonly clock: StillClock;
  readonly state: StateStore;
  verifierOf(input?: DocumentInput, certificates?: Readonly<Record<string, string>>): Verifier;
  /** A message, with a nonce. */
  verify(message: Buffer | string, nonce?: string, verifier?: Verifier): Promise<Outcome>;
}

/** @param makeState a real store when missing */
export async function createDocumentBench(
  signers: Signers,
  makeState: (clock: StillClock) => StateStore | Promise<StateStore> = realState,
): Promise<DocumentBench> {
  const clock = createStillClock();
  const state = await makeState(clock);
  onTestFinished(() => state.close());
  const usual = {
    'eu-west-1.pem': signers.ireland.certificatePem,
    'eu-central-1.pem': signers.frankfurt.certificatePem,
  };
  const verifierOf = (input: DocumentInput = {}, certificates: Readonly<Record<string, string>> = usual) => {
    const options = documentVerifierOptions.parse({
      type: 'aws-iid',
      name: 'instances',
      username: '_aws-iid',
      certificates: 'aws',
      accounts: [ACCOUNT],
      ...input,
    });
    const files = Object.entries(certificates).map(([name, pem]) => [name, Buffer.from(pem)] as const);
    options.certificates.resolve('/etc/drp/aws', new Map(files));
    const verifier = createDocumentVerifier(options, { clock, state });
    onTestFinished(() => verifier.close());
    return verifier;
  };
  return {
    clock,
    state,
    verifierOf,
    verify: (message, nonce = MINE, verifier = verifierOf()) => {
      const pkcs7 = typeof message === 'string' ? message : message.toString('base64');
      return verifier.verify(
        { username: '_aws-iid', password: proofOf(pkcs7, nonce) },
        new AbortController().signal,
      );
    },
  };
}

async function realState(clock: StillClock): Promise<StateStore> {
  const directory = new FolderReference(await ownFolder());
  return createStateStore({ type: 'embedded', directory }, { clock });
}

/** A proof of whatever is given, also where the machine itself would not make one. */
export function proofOf(pkcs7: string, nonce: string): Secret {
  const text = Buffer.from(JSON.stringify({ pkcs7, nonce })).toString('base64url');
  return new Secret(`drp1.aws-iid.${text}`);
}

export function goodProof(signers: Signers, nonce = MINE): Secret {
  return formatDocumentProof({ pkcs7: goodMessage(signers).toString('base64'), nonce });
}

export function goodMessage(
  signers: Signers,
  changes: Readonly<Record<string, unknown>> = {},
  options: MessageOptions = {},
): Buffer {
  return signedMessage(instanceDocument(changes), signers.ireland, options);
}
