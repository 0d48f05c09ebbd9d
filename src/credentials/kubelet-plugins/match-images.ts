import { matchSegment } from '../../oci/index.ts';

/** One of kubelet's patterns over images: `*.dkr.ecr.*.amazonaws.com`, `registry.io:8080/path`. */
export interface ImageMatch {
  /** As written. */
  readonly text: string;
  /** @param image registry and repository, without a tag: `docker.io/library/nginx` */
  matches(image: string): boolean;
}

const HOST = /^[A-Za-z0-9*._-]+$/;

/**
 * Reads an entry of `matchImages`, or a key of a plugin's answer. By kubelet's rules, `*` stands for any characters of one label
 * of the registry's name, both have as many labels, the port is the same, and the path begins with the pattern's.
 * @returns undefined for what kubelet refuses
 */
export function parseImageMatch(text: string): ImageMatch | undefined {
  const pattern = split(text.replace(/^https?:\/\//, ''));
  if (!HOST.test(pattern.host) || /[\s?#]/.test(pattern.path)) return undefined;
  const labels = pattern.host.split('.');
  return {
    text,
    matches(image) {
      const asked = split(image);
      const names = asked.host.split('.');
      return (
        asked.port === pattern.port &&
        names.length === labels.length &&
        asked.path.startsWith(pattern.path) &&
        labels.every((label, index) => matchSegment(label, names[index] ?? ''))
      );
    },
  };
}

interface Parts {
  readonly host: string;
  readonly port: string;
  /** With the slash before it. */
  readonly path: string;
}

function split(text: string): Parts {
  const slash = text.indexOf('/');
  const registry = slash < 0 ? text : text.slice(0, slash);
  const [, host = registry, port = ''] = /^(.*?)(?::(\d*))?$/.exec(registry) ?? [];
  return { host, port, path: slash < 0 ? '' : text.slice(slash) };
}
