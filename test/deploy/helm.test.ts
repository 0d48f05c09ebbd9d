import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { runCommand } from '../support/commands.ts';
import { checkAgainstApi } from './api-schemas.ts';
import { renderChart } from './chart-templates.ts';
import { DEPLOY, type KubernetesObject, kustomized, objectsOf, podsOf } from './objects.ts';

const CHART = join(DEPLOY, 'helm/docker-registry-proxy');
const NAMESPACE = 'kube-system';
const DIGEST = `sha256:${'0'.repeat(64)}`;

const CONFIGS = {
  proxy: 'proxy/drp.yaml',
  imageService: 'image-service/image-service.yaml',
  nodeInstaller: 'node-installer/image-service.yaml',
} as const;

interface Values {
  readonly [key: string]: unknown;
  readonly image: { readonly repository: string; readonly digest: string };
}

let folder: string;
let hasHelm: boolean;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'chart-'));
  hasHelm = await runCommand('helm', ['version'], { home: folder }).then(
    ({ code }) => code === 0,
    () => false,
  );
  if (!hasHelm) process.stdout.write('helm is not in PATH: the chart is rendered by the tests themselves\n');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function defaults(): Promise<Values> {
  const values = parse(await readFile(join(CHART, 'values.yaml'), 'utf8')) as Values;
  return { ...values, image: { ...values.image, digest: DIGEST } };
}

/** With one part switched on, and the configuration in it that its kustomize base has. */
async function valuesFor(
  part: 'proxy' | 'imageService' | 'nodeInstaller',
  options: Readonly<Record<string, unknown>> = {},
): Promise<Values> {
  const values = await defaults();
  const config = await readFile(join(DEPLOY, 'kustomize/base', CONFIGS[part]), 'utf8');
  const off = { proxy: { ...(values.proxy as object), enabled: false } };
  return { ...values, ...off, [part]: { ...(values[part] as object), enabled: true, config, ...options } };
}

async function templated(values: Values): Promise<KubernetesObject[]> {
  if (!hasHelm) return objectsOf(renderChart(CHART, values, NAMESPACE));
  const file = join(folder, 'values.yaml');
  await writeFile(file, JSON.stringify(values));
  const { code, stdout, stderr } = await runCommand(
    'helm',
    ['template', 'drp', CHART, '--namespace', NAMESPACE, '--values', file],
    {
      home: folder,
    },
  );
  if (code !== 0) throw new Error(stderr);
  return objectsOf(stdout);
}

async function refusals(values: unknown): Promise<string> {
  const ajv = new Ajv({ allErrors: true, strict: false });
  const schema = JSON.parse(await readFile(join(CHART, 'values.schema.json'), 'utf8')) as object;
  return ajv.validate(schema, values) ? '' : ajv.errorsText();
}

describe('the chart', () => {
  it.each([
    ['proxy', {}, ['proxy']],
    ['proxy', { serviceMonitor: { enabled: true } }, ['proxy', 'service-monitor']],
    ['imageService', {}, ['image-service']],
    ['nodeInstaller', {}, ['node-installer']],
    ['nodeInstaller', { readConfigz: true }, ['node-installer', 'node-configz']],
    ['nodeInstaller', { uninstall: true }, ['node-uninstaller']],
  ] as const)('gives for %s with %j what the bases %j give', async (part, options, bases) => {
    const values = await valuesFor(part, options);
    expect(await refusals(values)).toBe('');
    const objects = await templated(values);
    for (const object of objects) checkAgainstApi(object);
    const wanted = await Promise.all(bases.map((base) => kustomized(`base/${base}`)));
    expect(sorted(withoutChecksums(objects))).toEqual(sorted(withoutHashes(wanted.flat())));
  });

  it('takes what a cluster needs beside: pull secrets, more egress, the nodes to begin with', async () => {
    const values = await valuesFor('nodeInstaller', {
      nodeSelector: { canary: 'yes' },
      affinity: { nodeAffinity: {} },
      tolerations: [],
      resources: { limits: { memory: '1Gi' } },
    });
    const extraEgress = [{ ports: [{ port: 5000 }] }];
    const all = {
      ...values,
      image: { ...values.image, pullSecrets: [{ name: 'registry-login' }] },
      proxy: {
        ...((
          await valuesFor('proxy', {
            networkPolicy: { enabled: true, monitoringNamespace: 'm', extraEgress },
          })
        ).proxy as object),
      },
    };
    expect(await refusals(all)).toBe('');
    const objects = await templated(all);
    for (const object of objects) checkAgainstApi(object);
    for (const { owner, pod } of podsOf(objects)) {
      expect(pod, owner).toMatchObject({ imagePullSecrets: [{ name: 'registry-login' }] });
    }
    const installer = podsOf(objects).find(({ owner }) => owner === 'DaemonSet drp-node-installer')?.pod;
    expect(installer).toMatchObject({
      nodeSelector: { canary: 'yes' },
      affinity: { nodeAffinity: {} },
      tolerations: [],
      initContainers: [{ resources: { limits: { memory: '1Gi' } } }],
    });
    const policy = objects.find(({ kind }) => kind === 'NetworkPolicy');
    expect(policy?.spec?.egress?.at(-1)).toEqual(extraEgress[0]);
  });

  it('leaves out what is switched off', async () => {
    const values = await valuesFor('proxy');
    const proxy = {
      ...(values.proxy as object),
      ingress: { enabled: false },
      networkPolicy: { enabled: false },
      serviceMonitor: { enabled: false },
    };
    const kinds = (await templated({ ...values, proxy })).map(({ kind }) => kind);
    expect(kinds).not.toContain('Ingress');
    expect(kinds).not.toContain('NetworkPolicy');
    expect(kinds).not.toContain('ServiceMonitor');
    expect(kinds).not.toContain('DaemonSet');
  });
});

describe('the values', () => {
  it('of a plain install are refused: the image and the configuration have to be named', async () => {
    const values = parse(await readFile(join(CHART, 'values.yaml'), 'utf8')) as Values;
    expect(await refusals(values)).toMatch(/image\/digest/);
    expect(await refusals(await defaults())).toMatch(/proxy\/config/);
  });

  it.each([
    ['a tag in place of a digest', { image: { repository: 'r.example.com/drp', digest: 'latest' } }],
    ['a tag in the name', { image: { repository: 'r.example.com/drp:latest', digest: DIGEST } }],
    ['a misspelt key', { imige: {} }],
  ])('with %s are refused', async (_, changed) => {
    const values = { ...(await valuesFor('proxy')), ...changed };
    expect(await refusals(values)).not.toBe('');
  });
});

/** In one order, without the namespace: Helm's is that of the release. */
function sorted(objects: readonly KubernetesObject[]): unknown[] {
  return objects
    .map(({ metadata: { namespace: _, ...metadata }, ...object }) => ({ ...object, metadata }))
    .sort((a, b) => (`${a.kind} ${a.metadata.name}` < `${b.kind} ${b.metadata.name}` ? -1 : 1));
}

/** A changed configuration replaces pods: with Helm by an annotation, with kustomize by the name of the ConfigMap. */
function withoutChecksums(objects: readonly KubernetesObject[]): KubernetesObject[] {
  const text = JSON.stringify(objects).replace(/"annotations":\{"checksum\/config":"[0-9a-f]{64}"\},?/g, '');
  return JSON.parse(text.replaceAll(',}', '}')) as KubernetesObject[];
}

function withoutHashes(objects: readonly KubernetesObject[]): KubernetesObject[] {
  const text = JSON.stringify(objects).replace(/"(drp-node-installer)-[0-9a-z]{10}"/g, '"$1"');
  return JSON.parse(text) as KubernetesObject[];
}
