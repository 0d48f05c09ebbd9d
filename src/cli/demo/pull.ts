import type { Clock } from '../../core/index.ts';
import {
  type Descriptor,
  type Digest,
  digestOf,
  isRecord,
  mediaTypes,
  parseDescriptor,
} from '../../oci/index.ts';
import {
  type Answer,
  type ClientDependencies,
  createRegistryClient,
  type Login,
  parseJson,
  RefusedError,
  RegistryFaultError,
  requireDigest,
} from './registry-client.ts';

export interface PullRequest {
  /** The registry, such as `http://127.0.0.1:5000`. */
  readonly url: string;
  readonly repository: string;
  readonly tag: string;
  readonly login: Login | undefined;
  /** In the words of OCI images, such as `amd64`. */
  readonly architecture: string;
}

/** One request of the pull, and what came of it. */
export interface PullStep {
  /** Such as `GET /v2/hello/manifests/latest`. */
  readonly request: string;
  /** In words. */
  readonly outcome: string;
  readonly milliseconds: number;
}

export interface PulledImage {
  /** Of what the tag names. */
  readonly digest: Digest;
  readonly platform: string;
  readonly layers: number;
  /** Config and layers. */
  readonly sizeBytes: number;
}

export interface PullDependencies extends ClientDependencies {
  readonly clock: Clock;
  readonly onStep: (step: PullStep) => void;
}

/**
 * Pulls an image as any client does: ping, challenge, token, manifest by tag, the platform's manifest, config and
 * layers. Every digest is checked; nothing is kept.
 * @throws {RefusedError} when the registry says no, {RegistryFaultError} when it breaks the protocol
 */
export async function pullImage(request: PullRequest, dependencies: PullDependencies): Promise<PulledImage> {
  const { url, repository, tag, login, architecture } = request;
  const { clock, onStep } = dependencies;
  const client = createRegistryClient(url, dependencies);

  const step = async <T>(
    path: string,
    work: () => Promise<readonly [result: T, outcome: string]>,
  ): Promise<T> => {
    const start = clock.now();
    const tell = (outcome: string): void =>
      onStep({ request: `GET ${path}`, outcome, milliseconds: clock.now() - start });
    try {
      const [result, outcome] = await work();
      tell(outcome);
      return result;
    } catch (error) {
      if (error instanceof RefusedError) tell(`${error.status}: ${error.reason}`);
      throw error;
    }
  };

  const tokenService = await step('/v2/', async () => {
    const { answer, tokenService } = await client.ping();
    return [tokenService, `${answer.status}: tokens come from ${tokenService.realm.pathname}`];
  });

  const scope = `repository:${repository}:pull`;
  const token = await step(`${tokenService.realm.pathname}?scope=${scope}`, async () => {
    const token = await client.token(tokenService, repository, login);
    return [token, `a token for ${login ? `the user ${login.username}` : 'nobody in particular'}`];
  });

  const getManifest = (reference: string, describe: (manifest: Manifest) => string): Promise<Manifest> => {
    const path = `/v2/${repository}/manifests/${reference}`;
    return step(path, async () => {
      const manifest = readManifest(await client.get(path, token));
      return [manifest, describe(manifest)];
    });
  };

  const getBlob = (blob: Descriptor, what: string): Promise<void> => {
    const path = `/v2/${repository}/blobs/${blob.digest}`;
    return step(path, async () => {
      const { content } = await client.get(path, token);
      requireDigest(content, blob.digest);
      return [undefined, `the ${what}, ${content.length} bytes, digest right`];
    });
  };

  const tagged = await getManifest(tag, ({ list }) => `an index of ${list.map(platformOf).join(' and ')}`);
  const platform = choosePlatform(tagged.list, architecture);
  const image = await getManifest(
    platform.digest,
    () => `the manifest for ${platformOf(platform)}, digest right`,
  );
  if (image.digest !== platform.digest)
    throw new RegistryFaultError(`${platform.digest} led to other content`);

  const { config, layers } = imageContent(image);
  await getBlob(config, 'config');
  for (const layer of layers) await getBlob(layer, 'layer');
  return {
    digest: tagged.digest,
    platform: platformOf(platform),
    layers: layers.length,
    sizeBytes: [config, ...layers].reduce((sum, { size }) => sum + size, 0),
  };
}

interface Manifest {
  readonly digest: Digest;
  readonly value: Readonly<Record<string, unknown>>;
  /** The platforms of an index. */
  readonly list: readonly Descriptor[];
}

function readManifest({ content, headers }: Answer): Manifest {
  const digest = digestOf(content);
  if (headers.get('docker-content-digest') !== digest) {
    throw new RegistryFaultError(`a manifest came with another digest than its own, ${digest}`);
  }
  const value = parseJson(content);
  if (!isRecord(value)) throw new RegistryFaultError('a manifest is not an object');
  const isIndex = mediaTypes.isIndexType(headers.get('content-type') ?? '');
  return { digest, value, list: isIndex ? descriptors(value.manifests) : [] };
}

function choosePlatform(list: readonly Descriptor[], architecture: string): Descriptor {
  const found = list.find(
    ({ platform }) => platform?.os === 'linux' && platform.architecture === architecture,
  );
  if (!found) throw new RegistryFaultError(`the image is not there for linux/${architecture}`);
  return found;
}

function platformOf({ platform }: Descriptor): string {
  return `${platform?.os ?? 'unknown'}/${platform?.architecture ?? 'unknown'}`;
}

function imageContent({ value }: Manifest): { config: Descriptor; layers: Descriptor[] } {
  const config = parseDescriptor(value.config);
  if (!config) throw new RegistryFaultError('the manifest names no config');
  return { config, layers: descriptors(value.layers) };
}

function descriptors(value: unknown): Descriptor[] {
  const list = Array.isArray(value) ? value.map(parseDescriptor) : [];
  return list.filter((descriptor) => descriptor !== undefined);
}
