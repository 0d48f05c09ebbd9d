import type { RegionCertificates } from '../../proxy/identity/index.ts';

/** What one look at something says. */
export interface CertificateFinding {
  readonly status: 'ok' | 'warning' | 'problem';
  readonly title: string;
  /** What to do; only where there is something. */
  readonly advice?: string;
}

const DAY_MS = 24 * 60 * 60_000;
const SOON_MS = 90 * DAY_MS;
const SOURCE =
  'take the RSA-2048 one from https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/regions-certs.html';

/**
 * Which regions a verifier of type `aws-iid` covers, and which of its certificates end soon.
 * @param wanted regions that the options let in; where missing, those that there are certificates for
 * @param now milliseconds since the epoch
 */
export function checkAwsCertificates(
  certificates: RegionCertificates,
  wanted: readonly string[] | undefined,
  now: number,
): CertificateFinding[] {
  const missing = (wanted ?? []).filter((region) => !certificates.has(region));
  const unused = wanted ? [...certificates.keys()].filter((region) => !wanted.includes(region)) : [];
  const covered = [...certificates.keys()].filter((region) => !unused.includes(region)).toSorted();
  const findings: CertificateFinding[] = [
    { status: 'ok', title: `certificates cover ${covered.length === 0 ? 'no region' : covered.join(', ')}` },
  ];
  for (const region of missing) {
    findings.push({
      status: 'problem',
      title: `no certificate for ${region}, so no instance there can log in`,
      advice: `add ${region}.pem: ${SOURCE}`,
    });
  }
  for (const region of covered) {
    const ending = endingOf(region, certificates.get(region) ?? [], now);
    if (ending) findings.push(ending);
  }
  for (const region of unused) {
    findings.push({
      status: 'warning',
      title: `${region}.pem is not used: the region is not let in`,
      advice: `remove the file, or add ${region} to regions`,
    });
  }
  return findings;
}

/** Of several certificates the one that lasts longest counts. */
function endingOf(
  region: string,
  certificates: readonly { readonly validTo: string }[],
  now: number,
): CertificateFinding | undefined {
  const endsAt = Math.max(...certificates.map(({ validTo }) => Date.parse(validTo)));
  const left = endsAt - now;
  if (left > SOON_MS) return undefined;
  const advice = `put a newer one into ${region}.pem, beside the old one: ${SOURCE}`;
  if (left <= 0) {
    return { status: 'problem', title: `the certificate for ${region} has expired`, advice };
  }
  const days = Math.ceil(left / DAY_MS);
  return { status: 'warning', title: `the certificate for ${region} ends in ${days} days`, advice };
}
