import type { Clock } from '../../../core/index.ts';
import { formatDocumentProof } from '../../../machine-identity/index.ts';
import { createCredentialCache } from '../../credential-cache.ts';
import { withFailurePause } from '../../failure-pause.ts';
import { keepNonce } from '../../nonce-file.ts';
import type { Credential, CredentialProvider } from '../../provider.ts';
import { AwsError } from '../aws-error.ts';
import { createInstanceMetadata } from '../instance-metadata.ts';
import type { DocumentCredentialOptions } from './options.ts';

const PATH = '/latest/dynamic/instance-identity/rsa2048';

/** The instance identity document, signed with RSA-2048, and the nonce that makes it this machine's alone. */
export function createDocumentProvider(
  { nonceFile, username }: DocumentCredentialOptions,
  { clock }: { readonly clock: Clock },
): CredentialProvider {
  const metadata = createInstanceMetadata();

  async function fetch(_registry: string, signal: AbortSignal): Promise<Credential> {
    const nonce = await keepNonce(nonceFile);
    const pkcs7 = (await metadata.read(PATH, signal)).replace(/\s+/g, '');
    try {
      return { username, password: formatDocumentProof({ pkcs7, nonce }) };
    } catch {
      throw new AwsError(`${PATH} of the instance metadata holds no signed document`, 'Metadata');
    }
  }

  const cache = createCredentialCache(withFailurePause(fetch, { clock }), { clock });
  return {
    type: 'aws-iid',
    credential: ({ signal }) => cache.get('', signal),
    discard: (credential) => cache.discard(credential),
    async close() {
      cache.close();
      await metadata.close();
    },
  };
}
