import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadImageServiceConfig } from '../../src/cli/image-service/image-service-config.ts';
import { loadProxyConfig } from '../../src/cli/proxy-config.ts';
import { prepare } from '../examples/stand-ins.ts';
import { ownFolder } from '../support/own-folder.ts';
import { checkAgainstApi } from './api-schemas.ts';
import { containersOf, DEPLOY, type KubernetesObject, kustomized, podsOf } from './objects.ts';

const CONFIGS = readdirSync(join(DEPLOY, 'kustomize'), { recursive: true, encoding: 'utf8' }).filter((name) =>
  /(?:drp|image-service)\.yaml$/.test(name),
);
const FOLDERS = [...readdirSync(join(DEPLOY, 'kustomize/base')).map((name) => `base/${name}`), 'gke', 'eks'];
/** Asks the API server whose turn it is. */
const NEEDS_A_TOKEN: ReadonlySet<string> = new Set(['install']);
const ACCOUNT_FOLDER = '/var/run/secrets/kubernetes.io/serviceaccount';
const BY_DIGEST = /@sha256:[0-9a-f]{64}$/;

describe.each(FOLDERS)('deploy/kustomize/%s', (folder) => {
  it('gives objects that the Kubernetes API takes', async () => {
    const objects = await kustomized(folder);
    expect(objects.length).toBeGreaterThan(0);
    for (const object of objects) checkAgainstApi(object);
  });

  it('gives each object once', async () => {
    const names = (await kustomized(folder)).map(nameOf);
    expect(new Set(names).size).toBe(names.length);
  });

  it('runs every container with the least that it needs', async () => {
    for (const { owner, pod } of podsOf(await kustomized(folder))) {
      expect(pod.automountServiceAccountToken, owner).toBe(false);
      expect(pod.securityContext?.seccompProfile?.type, owner).toBe('RuntimeDefault');
      for (const { name, image, resources, securityContext, volumeMounts = [] } of containersOf(pod)) {
        const where = `${owner}, container ${name}`;
        expect(image, where).toMatch(BY_DIGEST);
        const hasToken = volumeMounts.some(({ mountPath }) => mountPath === ACCOUNT_FOLDER);
        expect(hasToken, where).toBe(NEEDS_A_TOKEN.has(name));
        expect(resources?.limits?.memory, where).toBeDefined();
        expect(securityContext, where).toMatchObject({
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        });
        expect(securityContext?.privileged, where).toBeUndefined();
      }
    }
  });
});

it.each(['base/node-installer', 'base/node-uninstaller', 'gke', 'eks'])(
  'deploy/kustomize/%s gives nobody the power over all kubelets',
  async (folder) => {
    expect(JSON.stringify(await kustomized(folder))).not.toContain('nodes/proxy');
  },
);

it('takes off the nodes what the installer of the same name has put there', async () => {
  const argsIn = async (folder: string) =>
    podsOf(await kustomized(folder)).flatMap(({ owner, pod }) =>
      (pod.initContainers ?? []).map(({ args }) => [owner, args.slice(0, 2)]),
    );
  expect(await argsIn('base/node-installer')).toEqual([
    ['DaemonSet drp-node-installer', ['node', 'install']],
  ]);
  expect(await argsIn('base/node-uninstaller')).toEqual([
    ['DaemonSet drp-node-installer', ['node', 'uninstall']],
  ]);
});

it.each([
  ['Google Cloud, AWS, Azure', '169.254.169.254/32', 80],
  ['GKE without Dataplane V2', '169.254.169.252/32', 988],
  ['EKS Pod Identity', '169.254.170.23/32', 80],
])('the proxy reaches the metadata server of %s', async (_, cidr, port) => {
  const policy = (await kustomized('base/proxy')).find(({ kind }) => kind === 'NetworkPolicy');
  const rule = policy?.spec?.egress?.find(({ to }) => to?.some(({ ipBlock }) => ipBlock?.cidr === cidr));
  expect(rule?.ports).toEqual([{ port }]);
});

describe('a configuration that is deployed', () => {
  it.each(CONFIGS)('%s can be used', async (name) => {
    const text = readFileSync(join(DEPLOY, 'kustomize', name), 'utf8');
    const { file, environment } = await prepare(text, await ownFolder());
    if (name.endsWith('drp.yaml')) await loadProxyConfig(file, environment);
    else await loadImageServiceConfig(file, { env: environment });
  });
});

it('the schema check refuses an object that the API would refuse', () => {
  const object = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'a' },
    spec: { ports: [{ port: 'x' }] },
  };
  expect(() => checkAgainstApi(object as unknown as KubernetesObject)).toThrow(/ports/);
  expect(() => checkAgainstApi({ ...object, kind: 'Servise' } as unknown as KubernetesObject)).toThrow(
    /no v1 Servise/,
  );
});

function nameOf({ apiVersion, kind, metadata }: KubernetesObject): string {
  return [apiVersion, kind, metadata.namespace ?? '', metadata.name].join(' ');
}
