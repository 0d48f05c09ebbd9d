import {
  canonicalPath,
  canonicalRegistryName,
  type ImageReference,
  matchSegment,
  PatternError,
  parseRepositoryPattern,
} from '../../../oci/index.ts';

/** Tells whether an image is one that a pattern means. */
export interface ImagePattern {
  /** As written. */
  readonly text: string;
  /** In one spelling: two patterns that mean the same have the same. */
  readonly canonical: string;
  /** How exact it is: the characters that are not wildcards. */
  readonly literals: number;
  matches(image: ImageReference): boolean;
}

const EVERYTHING = '**';
const HOST_LABELS = /^[a-z0-9*](?:[a-z0-9*-]*[a-z0-9*])?(?:\.[a-z0-9*](?:[a-z0-9*-]*[a-z0-9*])?)*$/;
const ADDRESS = /^\[[0-9a-f:]+\]$/;

/**
 * Reads a pattern over images: a registry, a slash, and a pattern over its repositories.
 *
 * - in the registry `*` is any characters of one label, so `*.example.com` means no name with two labels before
 *   `example.com`; a port has to be the image's own
 * - in the repository, `*` and `**` are as in the rules of the proxy
 * - Docker Hub is `docker.io`, and `docker.io/nginx` is `docker.io/library/nginx`
 * - `**` alone is every image
 *
 * @throws {PatternError}
 */
export function parseImagePattern(text: string): ImagePattern {
  if (text === EVERYTHING) return { text, canonical: text, literals: 0, matches: () => true };
  const slash = text.indexOf('/');
  if (slash < 0) {
    throw new PatternError(
      `write ${text}/** for every image of a registry, or docker.io/${text} for one of Docker Hub`,
    );
  }
  const registry = canonicalRegistryName(text.slice(0, slash));
  const { host, port } = splitPort(registry);
  checkHost(host, port);
  const rest = text.slice(slash + 1);
  if (/[:@]/.test(rest)) throw new PatternError('tags and digests are no part of a pattern');
  const path = rest === EVERYTHING ? rest : canonicalPath(registry, rest);
  const repository = parseRepositoryPattern(path);
  const canonical = `${registry}/${path}`;
  return {
    text,
    canonical,
    literals: canonical.replaceAll('*', '').length,
    matches(image) {
      const asked = splitPort(image.registry);
      return port === asked.port && matchesHost(host, asked.host) && repository.matches(image.repository);
    },
  };
}

function matchesHost(pattern: string, host: string): boolean {
  const labels = pattern.split('.');
  const asked = host.split('.');
  return (
    labels.length === asked.length && labels.every((label, index) => matchSegment(label, asked[index] ?? ''))
  );
}

function checkHost(host: string, port: string): void {
  if (ADDRESS.test(host)) return;
  if (host.includes('**')) {
    throw new PatternError(
      `** can't be in a registry's name; write one * for each label, as in *.example.com`,
    );
  }
  if (!HOST_LABELS.test(host)) {
    throw new PatternError(
      `${JSON.stringify(host)} is no registry; expected a name such as docker.example.com`,
    );
  }
  // Without a registry Docker Hub is meant, and a pattern has to say so.
  if (!/[.*]/.test(host) && host !== 'localhost' && port === '') {
    throw new PatternError(`begin with the registry; Docker Hub's ${host}/… is docker.io/${host}/…`);
  }
}

function splitPort(registry: string): { readonly host: string; readonly port: string } {
  const [, host = registry, port = ''] = /^(.*?)(?::(\d{1,5}))?$/.exec(registry) ?? [];
  return { host, port };
}
