import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { type FileReference, Secret } from '../../core/index.ts';
import { CredentialOptionsError } from '../errors.ts';
import type { EntraOptions } from './options.ts';

/** How a service principal proves that it is the one. */
export type ClientProof =
  | { readonly type: 'secret'; readonly secret: Secret }
  | { readonly type: 'certificate'; readonly certificate: X509Certificate; readonly key: KeyObject }
  /** A token of another issuer, as it stands in a file now. */
  | { readonly type: 'federated'; readonly path: string };

/**
 * @returns undefined where neither the options nor the environment has a proof
 * @throws {CredentialOptionsError} with the file's path; never with contents
 */
export function readClientProof(
  options: EntraOptions,
  env: Readonly<Record<string, string | undefined>>,
): ClientProof | undefined {
  const { clientSecret, clientSecretFile, certificateFile, federatedTokenFile } = options;
  if (clientSecret) return { type: 'secret', secret: clientSecret };
  if (clientSecretFile) return { type: 'secret', secret: readSecret(clientSecretFile) };
  if (certificateFile) return readCertificate(certificateFile);
  const path = federatedTokenFile?.path ?? env.AZURE_FEDERATED_TOKEN_FILE;
  return path ? { type: 'federated', path } : undefined;
}

function readSecret(file: FileReference): Secret {
  const text = file.text().replace(/\r?\n$/, '');
  if (text === '') throw new CredentialOptionsError(`${file.path} holds no secret`);
  return new Secret(text);
}

function readCertificate(file: FileReference): ClientProof {
  const text = file.text();
  try {
    const certificate = new X509Certificate(text);
    const key = createPrivateKey(text);
    if (certificate.checkPrivateKey(key) && key.asymmetricKeyType === 'rsa') {
      return { type: 'certificate', certificate, key };
    }
  } catch {
    // Said below: what OpenSSL says may be of the key.
  }
  throw new CredentialOptionsError(`${file.path} holds no PEM certificate with its RSA key`);
}
