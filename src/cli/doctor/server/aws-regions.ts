import type { RegionCertificates } from '../../../proxy/identity/index.ts';
import { type Finding, fail, ok, warn } from '../check.ts';

const DAY_MS = 24 * 60 * 60_000;
const SOON_MS = 90 * DAY_MS;
const SOURCE =
  'take the RSA-2048 one from https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/regions-certs.html';

/**
 * Which regions a verifier of type `aws-iid` covers, and which of its certificates end soon.
 * @param name the verifier's, to begin each line with
 * @param wanted regions that the options let in; where missing, those that there are certificates for
 * @param now milliseconds since the epoch
 */
export function awsRegions(
  name: string,
  certificates: RegionCertificates,
  wanted: readonly string[] | undefined,
  now: number,
): readonly Finding[] {
  const known = [...certificates.keys()].toSorted();
  const isWanted = (region: string): boolean => wanted?.includes(region) ?? true;
  const covered = known.filter(isWanted);
  const missing = (wanted ?? []).filter((region) => !certificates.has(region));
  return [
    ...(covered.length === 0 ? [] : ok(`${name}: certificates cover ${covered.join(', ')}`)),
    ...missing.flatMap((region) =>
      fail(
        `${name}: no certificate for ${region}, so no instance there can log in`,
        `add ${region}.pem: ${SOURCE}`,
      ),
    ),
    ...covered.flatMap((region) => endOf(name, region, certificates.get(region) ?? [], now)),
    ...known
      .filter((region) => !isWanted(region))
      .flatMap((region) =>
        warn(
          `${name}: ${region}.pem is not used: the region is not let in`,
          `remove the file, or add ${region} to regions`,
        ),
      ),
  ];
}

/** Of several certificates the one that lasts longest counts. */
function endOf(
  name: string,
  region: string,
  certificates: readonly { readonly validTo: string }[],
  now: number,
): readonly Finding[] {
  const endsAt = Math.max(...certificates.map(({ validTo }) => Date.parse(validTo)));
  const left = endsAt - now;
  if (left > SOON_MS) return [];
  const next = `put a newer one into ${region}.pem, beside the old one: ${SOURCE}`;
  if (left <= 0) return fail(`${name}: the certificate for ${region} has expired`, next);
  return warn(`${name}: the certificate for ${region} ends in ${Math.ceil(left / DAY_MS)} days`, next);
}
