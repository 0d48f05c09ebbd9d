import { Secret, systemClock } from '../../core/index.ts';
import { type CredentialOptions, createCredentialProvider } from '../../credentials/index.ts';
import { createLogger } from '../../telemetry/index.ts';
import type { ProbeContext } from './probe.ts';

/** What a provider would show as the password. @throws what the provider throws, when the signal ends at the latest */
export async function passwordOf(
  options: CredentialOptions,
  signal: AbortSignal,
  env: ProbeContext['env'],
): Promise<Secret> {
  const provider = createCredentialProvider(options, {
    clock: systemClock,
    log: createLogger('silent'),
    env,
  });
  try {
    const credential = await provider.credential({ registry: 'identity.invalid', signal });
    return credential?.password ?? new Secret('');
  } finally {
    await provider.close();
  }
}
