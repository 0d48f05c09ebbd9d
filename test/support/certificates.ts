import { webcrypto } from 'node:crypto';
import { isIP } from 'node:net';

type X509 = typeof import('@peculiar/x509');

/** A certificate with its key, both as PEM. */
export interface IssuedCertificate {
  readonly certificatePem: string;
  readonly keyPem: string;
}

/** A certificate authority that lives as long as the test. */
export interface CertificateAuthority {
  /** What clients have to trust. */
  readonly certificatePem: string;
  /** A server certificate for these names and IP addresses. */
  issue(hosts: string[]): Promise<IssuedCertificate>;
  /** A client certificate. */
  issueClient(wanted: ClientCertificate): Promise<IssuedCertificate>;
}

/** What a client certificate says. */
export interface ClientCertificate {
  /** Such as `CN=anna,OU=platform`. */
  readonly subject: string;
  readonly alternativeNames?: readonly { readonly type: 'dns' | 'email' | 'url'; readonly value: string }[];
  readonly usage?: 'client' | 'server' | 'any' | 'unsaid';
  readonly authority?: boolean;
  readonly notBefore?: Date;
  readonly notAfter?: Date;
}

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const DAY_MS = 24 * 60 * 60 * 1000;

export async function createCertificateAuthority(name = 'test authority'): Promise<CertificateAuthority> {
  const x509 = await loadX509();
  const keys = await createKeys();
  const authority = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: '01',
    name: `CN=${name}`,
    ...validity(),
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
    ],
  });
  let serial = 1;

  async function issue(
    subject: string,
    extensions: InstanceType<X509['Extension']>[],
    times = validity(),
  ): Promise<IssuedCertificate> {
    const own = await createKeys();
    serial += 1;
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber: serial.toString(16).padStart(2, '0'),
      subject,
      issuer: authority.subject,
      ...times,
      signingAlgorithm: ALGORITHM,
      publicKey: own.publicKey,
      signingKey: keys.privateKey,
      extensions,
    });
    const der = await webcrypto.subtle.exportKey('pkcs8', own.privateKey);
    return {
      certificatePem: certificate.toString('pem'),
      keyPem: x509.PemConverter.encode(der, 'PRIVATE KEY'),
    };
  }

  return {
    certificatePem: authority.toString('pem'),
    issue: (hosts) =>
      issue(`CN=${hosts[0]}`, [
        new x509.SubjectAlternativeNameExtension(
          hosts.map((value) => ({ type: isIP(value) === 0 ? 'dns' : 'ip', value })),
        ),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      ]),
    issueClient: ({ subject, alternativeNames = [], usage = 'client', authority: isAuthority, ...times }) => {
      const usages = {
        client: [x509.ExtendedKeyUsage.clientAuth],
        server: [x509.ExtendedKeyUsage.serverAuth],
        any: ['2.5.29.37.0'],
        unsaid: [],
      }[usage];
      return issue(
        subject,
        [
          ...(alternativeNames.length > 0
            ? [new x509.SubjectAlternativeNameExtension([...alternativeNames])]
            : []),
          ...(usages.length > 0 ? [new x509.ExtendedKeyUsageExtension(usages)] : []),
          ...(isAuthority ? [new x509.BasicConstraintsExtension(true, undefined, true)] : []),
        ],
        { ...validity(), ...times },
      );
    },
  };
}

function createKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
}

function validity() {
  return { notBefore: new Date(Date.now() - DAY_MS), notAfter: new Date(Date.now() + DAY_MS) };
}

/** The library keeps its classes by metadata that JavaScript engines do not have yet; it needs these four functions. */
export async function loadX509(): Promise<X509> {
  const metadata = new WeakMap<object, Map<unknown, unknown>>();
  const get = (key: unknown, target: object) => metadata.get(target)?.get(key);
  const define = (key: unknown, value: unknown, target: object) => {
    metadata.set(target, (metadata.get(target) ?? new Map()).set(key, value));
  };
  if (!('getMetadata' in Reflect)) {
    Object.assign(Reflect, {
      getMetadata: get,
      getOwnMetadata: get,
      defineMetadata: define,
      metadata: (key: unknown, value: unknown) => (target: object) => define(key, value, target),
    });
  }
  return await import('@peculiar/x509');
}
