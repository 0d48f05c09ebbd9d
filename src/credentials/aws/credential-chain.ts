import type { fromTemporaryCredentials } from '@aws-sdk/credential-providers';
import { CredentialOptionsError } from '../errors.ts';
import type { AwsCredentialOptions } from './options.ts';
import { AWS_REQUEST_HANDLER, METADATA_TIMEOUT_MS } from './sdk-settings.ts';

/** Gives AWS credentials that hold at least for some minutes; the SDK is loaded when they are first asked for. */
export type CredentialChain = ReturnType<typeof fromTemporaryCredentials>;

export type AwsCredentials = Awaited<ReturnType<CredentialChain>>;

/**
 * Where the SDK looks: environment, profile (single sign-on, web identity and roles included), process, web identity token,
 * container, instance. A role is assumed with what was found there.
 * @param region of the calls that this needs itself
 */
export function createCredentialChain(options: AwsCredentialOptions, region: string): CredentialChain {
  let loading: Promise<CredentialChain> | undefined;
  return async (properties): Promise<AwsCredentials> => {
    loading ??= loadChain(options, region);
    return (await loading)(properties);
  };
}

async function loadChain({ profile, role }: AwsCredentialOptions, region: string): Promise<CredentialChain> {
  const { fromNodeProviderChain, fromTemporaryCredentials } = await import('@aws-sdk/credential-providers');
  const clientConfig = { region, requestHandler: AWS_REQUEST_HANDLER, maxAttempts: 2 };
  const found = fromNodeProviderChain({
    ...(profile !== undefined && { profile }),
    clientConfig,
    timeout: METADATA_TIMEOUT_MS,
    maxRetries: 2,
  });
  if (!role) return found;
  return fromTemporaryCredentials({
    masterCredentials: found,
    params: {
      RoleArn: role.arn,
      RoleSessionName: role.sessionName,
      ...(role.externalId !== undefined && { ExternalId: role.externalId }),
    },
    clientConfig,
  });
}

const ACCOUNT = '{account}';

/**
 * The options with the account put into the ARN of the role.
 * @throws {CredentialOptionsError} where an account is wanted and none is known
 */
export function roleInAccount(
  { profile, role }: AwsCredentialOptions,
  account: string | undefined,
): AwsCredentialOptions {
  if (!role?.arn.includes(ACCOUNT)) return { profile, role };
  if (account === undefined) {
    throw new CredentialOptionsError(`the host of the registry says no account for ${ACCOUNT} in role.arn`);
  }
  return { profile, role: { ...role, arn: role.arn.replace(ACCOUNT, account) } };
}
