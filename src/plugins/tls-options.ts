import { X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import type { z } from 'zod';
import { type FileReference, optionTypes } from '../core/index.ts';

/** How the proxy and a plugin on another machine know each other. */
export const tlsShape = {
  certificateAuthorityFile: optionTypes.file
    .optional()
    .describe('PEM certificates to trust for this plugin, instead of the system list.'),
  certificateFile: optionTypes.file
    .optional()
    .describe('PEM certificate that the proxy shows to the plugin.'),
  keyFile: optionTypes.file.optional().describe('PEM key of that certificate.'),
};

export interface TlsOptions {
  readonly certificateAuthorityFile?: FileReference | undefined;
  readonly certificateFile?: FileReference | undefined;
  readonly keyFile?: FileReference | undefined;
}

/** All PEM. */
export interface TlsFiles {
  readonly certificateAuthority: string | undefined;
  readonly clientCertificate: { readonly certificate: string; readonly key: string } | undefined;
}

/** A certificate is of no use without its key, nor the other way about. */
export function requirePair({ certificateFile, keyFile }: TlsOptions, context: z.core.$RefinementCtx): void {
  if ((certificateFile === undefined) === (keyFile === undefined)) return;
  context.addIssue({ code: 'custom', message: 'certificateFile and keyFile go together' });
}

/** @throws {TypeError} with the path of a file that can't be used, never with its contents */
export function readTlsFiles({ certificateAuthorityFile, certificateFile, keyFile }: TlsOptions): TlsFiles {
  const certificateAuthority = certificateAuthorityFile?.text();
  // Without this, TLS would trust nobody, and say so only when it is too late.
  check(certificateAuthorityFile, (pem) => new X509Certificate(pem));
  if (!certificateFile || !keyFile) return { certificateAuthority, clientCertificate: undefined };
  const clientCertificate = { certificate: certificateFile.text(), key: keyFile.text() };
  check(certificateFile, (cert) => createSecureContext({ cert }));
  check(keyFile, (key) => createSecureContext({ cert: clientCertificate.certificate, key }));
  return { certificateAuthority, clientCertificate };
}

function check(file: FileReference | undefined, use: (pem: string) => unknown): void {
  if (!file) return;
  try {
    use(file.text());
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new TypeError(`${file.path} can't be used: ${reason}`, { cause });
  }
}
