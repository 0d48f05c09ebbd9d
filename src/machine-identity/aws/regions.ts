/** Such as `eu-west-1`, `us-gov-west-1`, `eusc-de-east-1`. */
export const AWS_REGION = /^[a-z]{2,5}(?:-[a-z]{2,12}){1,3}-\d{1,2}$/;

/** A part of AWS with accounts, roles and domains of its own. */
export type AwsPartition = 'aws' | 'aws-cn' | 'aws-us-gov' | 'aws-eusc' | 'aws-iso' | 'aws-iso-b';

const DOMAINS: Readonly<Record<AwsPartition, string>> = {
  aws: 'amazonaws.com',
  'aws-cn': 'amazonaws.com.cn',
  'aws-us-gov': 'amazonaws.com',
  'aws-eusc': 'amazonaws.eu',
  'aws-iso': 'c2s.ic.gov',
  'aws-iso-b': 'sc2s.sgov.gov',
};

const PREFIXES: readonly (readonly [string, AwsPartition])[] = [
  ['cn-', 'aws-cn'],
  ['us-gov-', 'aws-us-gov'],
  ['eusc-', 'aws-eusc'],
  ['us-iso-', 'aws-iso'],
  ['us-isob-', 'aws-iso-b'],
];

/** undefined for a text that is no region. */
export function partitionOf(region: string): AwsPartition | undefined {
  if (!AWS_REGION.test(region)) return undefined;
  return PREFIXES.find(([prefix]) => region.startsWith(prefix))?.[1] ?? 'aws';
}

/** The hosts of the Security Token Service of a region, exact; the first is the usual one. Empty for a text that is no region. */
export function stsHosts(region: string): readonly string[] {
  const partition = partitionOf(region);
  if (partition === undefined) return [];
  const domain = DOMAINS[partition];
  const regional = [`sts.${region}.${domain}`];
  if (partition === 'aws') regional.push(`sts-fips.${region}.${domain}`);
  // The global host is us-east-1's.
  if (region === 'us-east-1') regional.push(`sts.${domain}`);
  return regional;
}
