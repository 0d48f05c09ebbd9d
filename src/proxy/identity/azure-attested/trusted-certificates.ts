import { X509Certificate } from 'node:crypto';
import { rootCertificates } from 'node:tls';
import type { FileReference } from '../../../core/index.ts';

/** SHA-256 of the roots that Azure's certificates end in; which of them are known is up to the list that Node comes with. */
const AZURE_ROOTS: readonly string[] = [
  // DigiCert Global Root G2
  'CB:3C:CB:B7:60:31:E5:E0:13:8F:8D:D3:9A:23:F9:DE:47:FF:C3:5E:43:C1:14:4C:EA:27:D4:6A:5A:B1:CB:5F',
  // DigiCert Global Root G3
  '31:AD:66:48:F8:10:41:38:C7:38:F3:9E:A4:32:01:33:39:3E:3A:18:CC:02:29:6E:F9:7C:2A:C9:EF:67:31:D0',
  // Microsoft RSA Root Certificate Authority 2017
  'C7:41:F7:0F:4B:2A:8D:88:BF:2E:71:C1:41:22:EF:53:EF:10:EB:A0:CF:A5:E6:4C:FA:20:F4:18:85:30:73:E0',
  // Microsoft ECC Root Certificate Authority 2017
  '35:8D:F3:9D:76:4A:F9:E1:B7:66:E9:C9:72:DF:35:2E:E1:5C:FA:C2:27:AF:6A:D1:D7:0E:8E:4A:6E:DC:BA:02',
];
const PEM = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g;

/** The roots that Azure's signers are under. */
export function azureRoots(): X509Certificate[] {
  return rootCertificates
    .map((pem) => new X509Certificate(pem))
    .filter(({ fingerprint256 }) => AZURE_ROOTS.includes(fingerprint256));
}

/**
 * All certificates of a PEM file.
 * @throws {Error} when there is none, or one can't be read
 */
export function readCertificates(file: FileReference): X509Certificate[] {
  const blocks = file.text().match(PEM) ?? [];
  if (blocks.length === 0) throw new Error(`${file.path} holds no PEM certificate`);
  return blocks.map((pem) => {
    try {
      return new X509Certificate(pem);
    } catch {
      throw new Error(`${file.path} holds a certificate that can't be read`);
    }
  });
}
