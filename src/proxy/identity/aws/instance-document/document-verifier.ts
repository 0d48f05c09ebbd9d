import type { Clock, Secret } from '../../../../core/index.ts';
import { isDocumentProof, parseDocumentProof, partitionOf } from '../../../../machine-identity/index.ts';
import type { StateStore } from '../../../../state/index.ts';
import type { Identity } from '../../identity.ts';
import { createInstanceRecords } from '../../instance-records/index.ts';
import { settle } from '../../settle.ts';
import type { Outcome, Verifier } from '../../verifier.ts';
import { type IdentityDocument, parseIdentityDocument } from './identity-document.ts';
import type { DocumentVerifierOptions } from './options.ts';
import { readRegionCertificates } from './region-certificates.ts';
import { createRunningInstances, type InstancePlace } from './running-instances.ts';
import { parseSignedMessage } from './signed-message.ts';

export interface DocumentDependencies {
  readonly clock: Clock;
  readonly state: StateStore;
}

/**
 * Signed identity documents of EC2 instances, shown as the password together with a nonce that the machine keeps. A document
 * has no nonce, no end and no audience of its own, so the first use binds the instance; after that, refresh tokens are
 * renewed for as long as the binding stands.
 * @throws when a certificate can't be used
 */
export function createDocumentVerifier(
  options: DocumentVerifierOptions,
  { clock, state }: DocumentDependencies,
): Verifier {
  const { name, username } = options;
  const certificates = readRegionCertificates(options.certificates);
  const running = options.verifyInstance && createRunningInstances(options.verifyInstance, { clock });
  const records = createInstanceRecords(
    {
      verifier: name,
      firstUseMs: options.firstUse,
      maximumAgeMs: options.maximumAge,
      leewayMs: options.leeway,
      keepMs: options.keepBinding,
      rebind: options.rebindAfterRestart,
    },
    { state, clock },
  );
  let closed = false;

  function placeProblem({ accountId, region }: InstancePlace): string | undefined {
    if (!options.accounts.includes(accountId)) return `the account ${accountId} is not let in`;
    if (options.regions && !options.regions.includes(region)) return `the region ${region} is not let in`;
    return undefined;
  }

  /** The document of a message that AWS signed, or why it is none. */
  async function readDocument(pkcs7: string): Promise<IdentityDocument | string> {
    const bytes = Buffer.from(pkcs7, 'base64');
    // One spelling only, as for the proof around it.
    const message = bytes.toString('base64') === pkcs7 ? await parseSignedMessage(bytes) : undefined;
    if (!message) return 'it is no signed message of one signer';
    // Which certificate has to fit, the document itself says; nothing else of it counts before.
    const document = parseIdentityDocument(message.content);
    if (!document) return 'its content is no instance identity document';
    const now = clock.now();
    const ofRegion = certificates.get(document.region);
    if (!ofRegion)
      return `there is no certificate for ${document.region}: add ${document.region}.pem to certificates`;
    const valid = ofRegion.filter(
      ({ validFrom, validTo }) => Date.parse(validFrom) <= now && now <= Date.parse(validTo),
    );
    if (valid.length === 0) return `the certificate for ${document.region} has expired`;
    return message.isSignedBy(valid) ? document : `no certificate for ${document.region} fits its signature`;
  }

  async function check(password: Secret, signal: AbortSignal): Promise<Outcome> {
    const proof = parseDocumentProof(password);
    if (!proof) return refused('it is no instance identity document with a nonce');
    const document = await readDocument(proof.pkcs7);
    if (typeof document === 'string') return refused(document);
    const problem = placeProblem(document);
    if (problem !== undefined) return refused(problem);
    if (running && !(await running.isRunning(document, signal)))
      return refused('EC2 knows no such running instance');
    signal.throwIfAborted();
    const admission = await records.admit({
      instance: recordKey(document),
      documentTime: Date.parse(document.pendingTime),
      nonce: proof.nonce,
    });
    if (admission.type === 'refused') return admission;
    return { type: 'identity', identity: identityOf(name, document), anchor: admission.anchor };
  }

  async function renew(
    identity: Identity,
    anchor: string | undefined,
    signal: AbortSignal,
  ): Promise<Outcome> {
    const place = placeOf(identity);
    if (!place || identity.name !== nameOf(place)) return refused('it is no identity of this verifier');
    const problem = placeProblem(place);
    if (problem !== undefined) return refused(problem);
    if (running && !(await running.isRunning(place, signal)))
      return refused('EC2 knows no such running instance');
    signal.throwIfAborted();
    const admission = await records.confirm(recordKey(place), anchor);
    if (admission.type === 'refused') return admission;
    return { type: 'identity', identity: { ...identity, verifier: name }, anchor: admission.anchor };
  }

  return {
    name,
    ...(username !== undefined && { username }),
    issued: isDocumentProof,
    async verify({ password }, signal) {
      if (closed) return { type: 'cannot-tell', reason: 'the verifier is closed' };
      return settle(() => check(password, signal), signal);
    },
    async renew(identity, anchor, signal) {
      if (closed) return { type: 'cannot-tell', reason: 'the verifier is closed' };
      return settle(() => renew(identity, anchor, signal), signal);
    },
    async close() {
      closed = true;
      running?.close();
    },
  };
}

function identityOf(verifier: string, document: IdentityDocument): Identity {
  const { accountId, region, instanceId, availabilityZone, instanceType, imageId } = document;
  const claims = {
    accountId,
    partition: partitionOf(region) ?? '',
    region,
    instanceId,
    ...(availabilityZone !== undefined && { availabilityZone }),
    ...(instanceType !== undefined && { instanceType }),
    ...(imageId !== undefined && { imageId }),
  };
  return { verifier, name: nameOf(document), groups: [], claims };
}

function nameOf({ accountId, region, instanceId }: InstancePlace): string {
  return `arn:${partitionOf(region)}:ec2:${region}:${accountId}:instance/${instanceId}`;
}

function placeOf({ claims: { accountId, region, instanceId } }: Identity): InstancePlace | undefined {
  const isComplete =
    typeof accountId === 'string' && typeof region === 'string' && typeof instanceId === 'string';
  return isComplete ? { accountId, region, instanceId } : undefined;
}

/** Ids of instances are unique within a region. */
function recordKey({ accountId, region, instanceId }: InstancePlace): string {
  return `${accountId}/${region}/${instanceId}`;
}

function refused(reason: string): Outcome {
  return { type: 'refused', reason };
}
