import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { loadImageServiceConfig } from '../../src/cli/image-service/image-service-config.ts';
import { IMAGE_SERVICE_EXAMPLE } from '../../src/config/image-service-example.ts';
import { createImageServiceMetrics, imageServiceOptions } from '../../src/kubelet/image-service/index.ts';
import { ownFolder } from '../support/own-folder.ts';
import { codeBlocks, readPages } from './markdown.ts';
import { prepare } from './stand-ins.ts';

const EXAMPLE = readFileSync('examples/image-service/image-service.yaml', 'utf8');
const UNITS = ['drp-image-service.service', 'drp-image-service.socket'].map((name) =>
  readFileSync(`examples/image-service/${name}`, 'utf8'),
);
const PAGES = readPages();
const BLOCKS = PAGES.filter(({ path }) => path === 'docs/image-service.md').flatMap((page) =>
  codeBlocks(page).filter(({ text }) => text.startsWith('# image-service.yaml\n')),
);

describe('a configuration of the image service', () => {
  it.each([
    { name: 'the example', text: EXAMPLE },
    { name: 'the one of the reference page', text: IMAGE_SERVICE_EXAMPLE },
    ...BLOCKS.map(({ text, line }) => ({ name: `the one in line ${line}`, text })),
  ])('$name can be used', async ({ text }) => {
    const { file, environment } = await prepare(text, await ownFolder());
    const { value } = await loadImageServiceConfig(file, { env: environment });
    expect(value.credentials.length).toBeGreaterThan(0);
  });

  it('of the reference page names every key', async () => {
    const { file } = await prepare(IMAGE_SERVICE_EXAMPLE, await ownFolder());
    const { value } = await loadImageServiceConfig(file, { env: {} });
    const optional = ['adminSocket'];
    const keys = Object.keys(imageServiceOptions.shape).filter((key) => !optional.includes(key));
    expect(Object.keys(value).sort()).toEqual(keys.sort());
  });

  it('is found in the documentation', () => {
    expect(BLOCKS.length).toBeGreaterThan(0);
  });
});

it('the units name the socket and the file of the example', () => {
  const [, socket] = /^socket: (.*)$/m.exec(EXAMPLE) ?? [];
  expect(UNITS[1]).toContain(`ListenStream=${socket}\n`);
  expect(UNITS[0]).toContain('--config /etc/drp/image-service.yaml');
});

describe('what the unit can see', () => {
  const HIDDEN: readonly (readonly [directive: string, folders: readonly string[]])[] = [
    ['ProtectHome=yes', ['/root', '/home', '/run/user']],
    ['PrivateTmp=yes', ['/tmp', '/var/tmp']],
  ];
  const folders = HIDDEN.flatMap(([directive, hidden]) =>
    UNITS[0]?.includes(`\n${directive}\n`) ? hidden : [],
  );
  const examples = readdirSync('examples/image-service').map((name) => ({
    name,
    text: readFileSync(`examples/image-service/${name}`, 'utf8'),
  }));
  const blocks = PAGES.flatMap((page) =>
    codeBlocks(page)
      .filter(({ text }) => text.startsWith('# image-service.yaml\n'))
      .map(({ text, line }) => ({ name: `${page.path}:${line}`, text })),
  );

  it.each([...examples, ...blocks])('includes every file that $name names', ({ text }) => {
    const withoutComments = text.replaceAll(/#.*$/gm, '');
    expect(folders.filter((folder) => new RegExp(`(?<![\\w./])${folder}/`).test(withoutComments))).toEqual(
      [],
    );
  });

  it('is not everything', () => {
    expect(folders).toContain('/root');
  });
});

it('the table of metrics has each metric with its labels, and no other', () => {
  const page = PAGES.find(({ path }) => path === 'docs/image-service.md');
  const rows = [...(page?.text ?? '').matchAll(/^\| `(drp_\w+)` \| (.*?) ?\|/gm)].map(
    ([, name, labels = '']) => `${name} ${[...labels.matchAll(/`(\w+)`/g)].map(([, label]) => label)}`,
  );
  const { registry } = createImageServiceMetrics();
  const own = registry.getMetricsAsArray().flatMap((metric) => {
    const { name, labelNames = [] } = metric as unknown as { name: string; labelNames?: string[] };
    return name.startsWith('drp_') ? [`${name} ${labelNames}`] : [];
  });
  expect(rows.sort()).toEqual(own.sort());
  registry.clear();
});
