import { X509Certificate } from 'node:crypto';
import type { FolderFilesReference } from '../../../../core/index.ts';
import { AWS_REGION } from '../../../../machine-identity/index.ts';

/** The certificates that documents of a region are signed with; several while AWS changes from one to the next. */
export type RegionCertificates = ReadonlyMap<string, readonly X509Certificate[]>;

const BLOCK = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]{1,16384}?-----END CERTIFICATE-----/g;
const MINIMUM_BITS = 2048;

/**
 * Reads a folder of files `REGION.pem`.
 * @throws naming the file that can't be used; when there is none at all
 */
export function readRegionCertificates(folder: FolderFilesReference): RegionCertificates {
  const regions = new Map<string, readonly X509Certificate[]>();
  for (const [name, contents] of folder.files) {
    const region = name.slice(0, -folder.ending.length);
    const file = `${folder.path}/${name}`;
    if (!AWS_REGION.test(region))
      throw new Error(`${file}: expected the name of a region, such as eu-west-1.pem`);
    regions.set(region, readCertificates(contents.toString('latin1'), file));
  }
  if (regions.size === 0)
    throw new Error(`${folder.path} holds no certificate: expected files such as eu-west-1.pem`);
  return regions;
}

function readCertificates(text: string, file: string): X509Certificate[] {
  const blocks = text.match(BLOCK) ?? [];
  if (blocks.length === 0) throw new Error(`${file} holds no certificate in PEM`);
  return blocks.map((block) => {
    const certificate = parse(block, file);
    const { asymmetricKeyType: type, asymmetricKeyDetails: details } = certificate.publicKey;
    if (type !== 'rsa' || (details?.modulusLength ?? 0) < MINIMUM_BITS) {
      throw new Error(
        `${file} is not the RSA-2048 certificate: those for DSA and RSA-1024 are of no use here`,
      );
    }
    return certificate;
  });
}

function parse(block: string, file: string): X509Certificate {
  try {
    return new X509Certificate(block);
  } catch {
    throw new Error(`${file} holds a certificate that can not be read`);
  }
}
