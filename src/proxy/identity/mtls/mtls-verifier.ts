import type { X509Certificate } from 'node:crypto';
import type { Clock } from '../../../core/index.ts';
import { settle } from '../settle.ts';
import type { Outcome, Verifier } from '../verifier.ts';
import { type AlternativeNames, parseAlternativeNames } from './alternative-names.ts';
import type { MtlsVerifierOptions } from './options.ts';
import { parseAuthorities, reasonToRefuse } from './trust.ts';

type Subject = Readonly<Record<string, string | string[] | undefined>>;

/**
 * Knows clients by their certificate. There are no refresh tokens: the certificate is shown anew each time.
 * @throws {Error} when the authorities can't be read
 */
export function createMtlsVerifier(
  options: MtlsVerifierOptions,
  { clock }: { readonly clock: Clock },
): Verifier {
  const authorities = parseAuthorities(options.certificateAuthorityFile.text());
  const closed = new AbortController();

  function identify(certificate: X509Certificate): Outcome {
    const reason = reasonToRefuse(certificate, authorities, clock.now());
    if (reason !== undefined) return { type: 'refused', reason };
    const subject = certificate.toLegacyObject().subject as unknown as Subject;
    const alternatives = parseAlternativeNames(certificate.subjectAltName ?? '');
    if (!alternatives) return { type: 'refused', reason: 'its alternative names can not be read' };
    const names = options.nameFrom === 'commonName' ? listOf(subject.CN) : alternatives[options.nameFrom];
    const [name] = names;
    if (!name || names.length > 1) {
      return {
        type: 'refused',
        reason: `it has ${names.length} names of the kind ${options.nameFrom}, not one`,
      };
    }
    const claims = claimsOf(certificate, alternatives);
    return {
      type: 'identity',
      identity: { verifier: options.name, name, groups: listOf(subject.OU), claims },
    };
  }

  return {
    name: options.name,
    verify: (_, signal) =>
      settle(
        async () => ({ type: 'refused', reason: 'it takes certificates only' }),
        AbortSignal.any([signal, closed.signal]),
      ),
    verifyCertificate: (certificate, signal) =>
      settle(async () => identify(certificate), AbortSignal.any([signal, closed.signal])),
    async close() {
      closed.abort(new Error('the verifier is closed'));
    },
  };
}

function claimsOf(certificate: X509Certificate, { dns, uri }: AlternativeNames): Record<string, unknown> {
  const { serialNumber, fingerprint256 } = certificate;
  return { serialNumber, fingerprint: fingerprint256, dns: [...dns], uri: [...uri] };
}

function listOf(value: string | string[] | undefined): string[] {
  if (value === undefined) return [];
  return typeof value === 'string' ? [value] : [...value];
}
