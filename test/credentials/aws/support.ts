import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { onTestFinished, vi } from 'vitest';
import type { AccessKeys } from '../../servers/aws/index.ts';
import { ownFolder } from '../../support/own-folder.ts';

const VARIABLES = [
  'AWS_ACCESS_KEY_ID',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
  'AWS_PROFILE',
  'AWS_REGION',
  'AWS_DEFAULT_REGION',
  'AWS_ROLE_ARN',
  'AWS_WEB_IDENTITY_TOKEN_FILE',
  'AWS_CONTAINER_CREDENTIALS_FULL_URI',
  'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI',
  'AWS_ENDPOINT_URL',
  'AWS_ENDPOINT_URL_STS',
  'AWS_ENDPOINT_URL_ECR',
  'AWS_ENDPOINT_URL_EC2',
  'AWS_EC2_METADATA_SERVICE_ENDPOINT',
] as const;

export interface AwsSurroundings {
  readonly keys?: AccessKeys | undefined;
  /** Further variables. */
  readonly variables?: Readonly<Record<string, string>>;
  /** Content of `~/.aws/config`. */
  readonly config?: string;
}

/** Gives the running test a machine with just these ways to AWS, and no instance metadata. */
export async function surroundings({ keys, variables = {}, config = '' }: AwsSurroundings): Promise<string> {
  const folder = await ownFolder();
  const [configFile, credentialsFile] = [join(folder, 'config'), join(folder, 'credentials')];
  await writeFile(configFile, config);
  await writeFile(credentialsFile, '');
  onTestFinished(() => {
    vi.unstubAllEnvs();
  });
  for (const name of VARIABLES) vi.stubEnv(name, undefined);
  vi.stubEnv('AWS_CONFIG_FILE', configFile);
  vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', credentialsFile);
  vi.stubEnv(
    'AWS_EC2_METADATA_DISABLED',
    'AWS_EC2_METADATA_SERVICE_ENDPOINT' in variables ? undefined : 'true',
  );
  if (keys) {
    vi.stubEnv('AWS_ACCESS_KEY_ID', keys.accessKeyId);
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', keys.secretAccessKey);
    vi.stubEnv('AWS_SESSION_TOKEN', keys.sessionToken);
  }
  for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value);
  return folder;
}

/** Closes a fake when the running test has finished. */
export async function during<T extends { close(): Promise<void> }>(starting: Promise<T>): Promise<T> {
  const started = await starting;
  onTestFinished(() => started.close());
  return started;
}
