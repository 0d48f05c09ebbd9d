import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { parsePluginConfig } from '../../src/credentials/kubelet-plugins/plugin-config.ts';
import { pullCredentialOptions } from '../../src/kubelet/image-service/credentials/index.ts';
import { dockerBackendOptions } from '../../src/kubelet/image-service/docker/index.ts';
import { parseImageReference } from '../../src/oci/index.ts';
import { codeBlocks, readPages } from './markdown.ts';

const FOLDER = 'examples/image-service';
const PAGE = 'docs/image-service-credentials.md';

const imageService = z.strictObject({
  socket: z.string().optional(),
  backend: dockerBackendOptions.optional(),
  credentials: pullCredentialOptions,
});

const examples = readdirSync(FOLDER)
  .filter((name) => /^credentials-.*\.yaml$/.test(name))
  .map((name) => ({ name, text: readFileSync(join(FOLDER, name), 'utf8') }));
const page = readPages().find(({ path }) => path === PAGE);
const blocks = (page ? codeBlocks(page) : [])
  .filter(({ text }) => text.startsWith('# image-service.yaml\n'))
  .map(({ text, line }) => ({ name: `${PAGE}:${line}`, text }));

describe('credentials of the image service', () => {
  it.each([...examples, ...blocks])('in $name can be used', ({ text }) => {
    const { credentials } = imageService.parse(parse(text));
    expect(credentials.length).toBeGreaterThan(0);
  });

  it('are found', () => {
    expect(examples.length).toBe(3);
    expect(blocks.length).toBe(5);
  });
});

it("kubelet's own file in the examples can be used", () => {
  const name = join(FOLDER, 'credential-provider-config.yaml');
  expect(parsePluginConfig(readFileSync(name, 'utf8'), name)).toMatchObject([
    { name: 'ecr-credential-provider' },
  ]);
});

describe('the table of patterns', () => {
  const rows = [...(page?.text ?? '').matchAll(/^\| `([^`]*(?:\/|\*)[^`]*)` +\| ([^|]*)\| ([^|]*)\|/gm)];
  const images = (cell = '') => [...cell.matchAll(/`([^`]+)`/g)].map(([, image = '']) => image);
  const cases = rows.flatMap(([, pattern = '', matching, others]) => [
    ...images(matching).map((image) => ({ pattern, image, expected: true })),
    ...images(others).map((image) => ({ pattern, image, expected: false })),
  ]);

  it.each(cases)('is right about $pattern and $image', ({ pattern, image, expected }) => {
    const [rule] = pullCredentialOptions.parse([{ images: [pattern], provider: { type: 'anonymous' } }]);
    const reference = parseImageReference(image);
    expect(reference && rule?.images.some((one) => one.matches(reference))).toBe(expected);
  });

  it('has cases', () => {
    expect(cases.length).toBeGreaterThanOrEqual(7);
  });
});
