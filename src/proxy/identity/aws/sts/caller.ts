import { type AwsPartition, partitionOf } from '../../../../machine-identity/index.ts';
import { isRecord } from '../../../../oci/index.ts';

/** Whom AWS names as the signer of a request. */
export interface Caller {
  readonly accountId: string;
  readonly arn: string;
  readonly userId: string;
  readonly partition: string;
  /** For a session of a role. */
  readonly role: { readonly arn: string; readonly name: string; readonly sessionName: string } | undefined;
}

const ARN = /^arn:(aws(?:-[a-z]{1,4}){0,2}):(?:iam|sts)::(\d{12}):([\x21-\x7e]{1,1024})$/;
const ASSUMED_ROLE = /^assumed-role\/([\w+=,.@-]{1,64})\/([\w+=,.@-]{2,64})$/;
const USER_ID = /^[\w:+=,.@-]{1,256}$/;

/** Reads `GetCallerIdentityResponse` in JSON; undefined for anything else, and where its parts contradict each other. */
export function parseCaller(answer: unknown, region: string): Caller | undefined {
  const response = isRecord(answer) ? answer.GetCallerIdentityResponse : undefined;
  const result = isRecord(response) ? response.GetCallerIdentityResult : undefined;
  if (!isRecord(result)) return undefined;
  const { Account: accountId, Arn: arn, UserId: userId } = result;
  if (typeof accountId !== 'string' || typeof arn !== 'string' || typeof userId !== 'string')
    return undefined;
  const [, partition = '', account, resource = ''] = ARN.exec(arn) ?? [];
  if (account === undefined || account !== accountId || !USER_ID.test(userId)) return undefined;
  const expected: AwsPartition | undefined = partitionOf(region);
  if (partition !== expected) return undefined;
  const [, name, sessionName] = ASSUMED_ROLE.exec(resource) ?? [];
  const role =
    name === undefined || sessionName === undefined
      ? undefined
      : { arn: `arn:${partition}:iam::${accountId}:role/${name}`, name, sessionName };
  return { accountId, arn, userId, partition, role };
}
