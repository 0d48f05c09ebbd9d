/** What the host of a registry of Amazon ECR says. */
export type EcrHost =
  | {
      readonly type: 'private';
      readonly account: string;
      readonly region: string;
      readonly fips: boolean;
      readonly dualStack: boolean;
    }
  | { readonly type: 'public' };

const PUBLIC_HOSTS: readonly string[] = ['public.ecr.aws', 'ecr-public.aws.com'];
const PRIVATE_HOST =
  /^(?<account>\d{12})\.dkr(?:\.ecr|(?<dualStack>-ecr))(?<fips>-fips)?\.(?<region>[a-z]{2,5}(?:-[a-z]{2,12}){1,3}-\d{1,2})\.(?<suffix>amazonaws\.com(?:\.cn)?|amazonaws\.eu|on\.aws|on\.amazonwebservices\.com\.cn|sc2s\.sgov\.gov|c2s\.ic\.gov|cloud\.adc-e\.uk|csp\.hci\.ic\.gov)$/;

/**
 * @param registry `host` or `host:port`
 * @returns undefined for a host of anybody else
 * @see https://docs.aws.amazon.com/general/latest/gr/ecr.html
 */
export function parseEcrHost(registry: string): EcrHost | undefined {
  const host = registry.toLowerCase().replace(/:443$/, '');
  if (PUBLIC_HOSTS.includes(host)) return { type: 'public' };
  const { account, region, suffix = '', fips, dualStack } = PRIVATE_HOST.exec(host)?.groups ?? {};
  if (account === undefined || region === undefined) return undefined;
  // Only the dual-stack suffixes go with `dkr-ecr`, and only `dkr.ecr` with the others.
  if ((dualStack !== undefined) !== suffix.startsWith('on.')) return undefined;
  return { type: 'private', account, region, fips: fips !== undefined, dualStack: dualStack !== undefined };
}
