/** Token servers of registries that everybody knows; the registry itself is always allowed and not repeated. */
const KNOWN: readonly { readonly host: RegExp; readonly realms: readonly string[] }[] = [
  { host: /^registry-1\.docker\.io$/, realms: ['https://auth.docker.io'] },
  { host: /^registry\.gitlab\.com$/, realms: ['https://gitlab.com'] },
  { host: /^nvcr\.io$/, realms: ['https://authn.nvidia.com'] },
  { host: /^registry\.(?:connect\.)?redhat\.(?:io|com)$/, realms: ['https://sso.redhat.com'] },
  { host: /^(?:.+\.)?gcr\.io$/, realms: [] },
  { host: /^.+\.pkg\.dev$/, realms: [] },
  { host: /^ghcr\.io$/, realms: [] },
  { host: /^quay\.io$/, realms: [] },
  { host: /^public\.ecr\.aws$/, realms: [] },
  { host: /^.+\.azurecr\.(?:io|cn|us)$/, realms: [] },
  { host: /^.+\.amazonaws\.com(?:\.cn)?$/, realms: [] },
];

/**
 * The origins that a known registry sends its clients to for tokens.
 * @returns undefined for a registry that is not known
 */
export function knownRealms(registry: URL): readonly string[] | undefined {
  if (registry.protocol !== 'https:' || registry.port !== '') return undefined;
  return KNOWN.find(({ host }) => host.test(registry.hostname))?.realms;
}
