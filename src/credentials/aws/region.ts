import { AWS_REGION } from '../../machine-identity/index.ts';
import { AwsError } from './aws-error.ts';
import { createInstanceMetadata } from './instance-metadata.ts';

/**
 * The region that this machine works in: from the environment, the profile, or the instance.
 * @throws {AwsError} when none of them says
 */
export async function findRegion(
  { profile }: { readonly profile?: string | undefined },
  signal: AbortSignal,
): Promise<string> {
  const { AWS_REGION: fromEnvironment, AWS_DEFAULT_REGION: fallback } = process.env;
  const found = fromEnvironment || fallback || (await fromProfile(profile)) || (await fromInstance(signal));
  if (found !== undefined && AWS_REGION.test(found)) return found;
  throw new AwsError('no region is known: set region, or AWS_REGION', 'NoRegion');
}

async function fromProfile(profile: string | undefined): Promise<string | undefined> {
  const { loadSharedConfigFiles } = await import('@smithy/core/config');
  const { configFile, credentialsFile } = await loadSharedConfigFiles();
  const name = profile ?? (process.env.AWS_PROFILE || 'default');
  return configFile[name]?.region ?? credentialsFile[name]?.region;
}

async function fromInstance(signal: AbortSignal): Promise<string | undefined> {
  const metadata = createInstanceMetadata();
  try {
    return (await metadata.read('/latest/meta-data/placement/region', signal)).trim();
  } catch {
    return undefined;
  } finally {
    await metadata.close();
  }
}
