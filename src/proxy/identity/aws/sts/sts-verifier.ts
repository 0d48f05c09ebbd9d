import type { Clock, Secret } from '../../../../core/index.ts';
import {
  isStsProof,
  parseStsProof,
  partitionOf,
  type StsProof,
  stsHosts,
} from '../../../../machine-identity/index.ts';
import { matchesPattern } from '../../json-web-token/index.ts';
import { type Answer, createRecentAnswers } from '../../recent-answers.ts';
import { settle } from '../../settle.ts';
import type { Outcome, Verifier } from '../../verifier.ts';
import type { Caller } from './caller.ts';
import type { StsVerifierOptions } from './options.ts';
import { parseAmazonDate } from './request-time.ts';
import { createStsClient } from './sts-client.ts';

export interface StsDependencies {
  readonly clock: Clock;
}

/** As long as AWS takes a signature. */
const LIFETIME_MS = 15 * 60_000;
const REMEMBER_MS = 60_000;
const INSTANCE_ID = /^i-[0-9a-f]{8,17}$/;

/**
 * Signed requests to AWS STS, shown as the password. AWS is asked who signed; nothing that the request says of itself is
 * believed. They end within minutes, and are not renewed: a machine makes new ones.
 */
export function createStsVerifier(options: StsVerifierOptions, { clock }: StsDependencies): Verifier {
  const { name, username } = options;
  const client = createStsClient(options.endpoint);
  const answers = createRecentAnswers({ rememberMs: REMEMBER_MS }, clock);
  let closed = false;

  /** Reasons that need no question to AWS. */
  function findRefusal({ audience, region, host, date }: StsProof): string | undefined {
    if (audience !== options.audience) return 'the request was signed for another audience';
    const partition = partitionOf(region);
    if (!stsHosts(region).includes(host)) return 'the request was signed for a host that is no STS of AWS';
    if (partition === undefined || !options.partitions.includes(partition))
      return 'the partition is not let in';
    if (options.regions && !options.regions.includes(region)) return 'the region is not let in';
    const age = clock.now() - (parseAmazonDate(date) ?? Number.NaN);
    if (!(age >= -options.leeway))
      return 'the request is of a time that has not come yet: look at the clocks';
    if (age > LIFETIME_MS + options.leeway) return 'the request is older than 15 minutes';
    return undefined;
  }

  async function ask(proof: StsProof, signal: AbortSignal): Promise<Answer> {
    // The audience that counts is ours; that the client's is the same has been seen above.
    const answer = await client.ask({ ...proof, audience: options.audience }, signal);
    const outcome = answer.type === 'caller' ? identify(options, answer.caller, proof.region) : answer;
    return { outcome, validUntil: (parseAmazonDate(proof.date) ?? 0) + LIFETIME_MS };
  }

  async function check(password: Secret): Promise<Outcome> {
    const proof = parseStsProof(password);
    if (!proof) return { type: 'refused', reason: 'it is no signed request to STS' };
    const refusal = findRefusal(proof);
    if (refusal !== undefined) return { type: 'refused', reason: refusal };
    return answers.get([password.reveal()], (signal) => ask(proof, signal));
  }

  return {
    name,
    ...(username !== undefined && { username }),
    issued: isStsProof,
    async verify({ password }, signal) {
      if (closed) return { type: 'cannot-tell', reason: 'the verifier is closed' };
      return settle(() => check(password), signal);
    },
    async close() {
      closed = true;
      answers.close();
      await client.close();
    },
  };
}

function identify(options: StsVerifierOptions, caller: Caller, region: string): Outcome {
  const { accountId, arn, userId, partition, role } = caller;
  if (!options.accounts.includes(accountId)) {
    return { type: 'refused', reason: `the account ${accountId} is not let in` };
  }
  if (options.roles && !(role && options.roles.some((pattern) => matchesPattern(pattern, role.arn)))) {
    return { type: 'refused', reason: `${role?.arn ?? arn} is none of the roles` };
  }
  const claims = {
    accountId,
    partition,
    userId,
    stsRegion: region,
    ...(role && { roleArn: role.arn, roleName: role.name, sessionName: role.sessionName }),
    ...(role && INSTANCE_ID.test(role.sessionName) && { instanceId: role.sessionName }),
  };
  return { type: 'identity', identity: { verifier: options.name, name: arn, groups: [], claims } };
}
