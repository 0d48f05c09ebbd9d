import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadProxyConfig } from '../../src/cli/proxy-config.ts';
import { proxyOptions } from '../../src/proxy/index.ts';
import { createMetrics } from '../../src/telemetry/index.ts';
import { ownFolder } from '../support/own-folder.ts';
import { anchors, codeBlocks, links, type Page, readPages } from './markdown.ts';
import { completeFragment, prepare } from './stand-ins.ts';

const PAGES = readPages();
const WHOLE = '# drp.yaml\n';

describe('configuration in the documentation', () => {
  const blocks = PAGES.flatMap((page) =>
    codeBlocks(page)
      .filter(({ language }) => language === 'yaml')
      .map(({ text, line }) => ({ place: `${page.path}:${line}`, text })),
  );
  const whole = blocks.filter(({ text }) => text.startsWith(WHOLE));
  const parts = blocks.flatMap(({ place, text }) => {
    const completed = text.startsWith(WHOLE)
      ? undefined
      : completeFragment(text, Object.keys(proxyOptions.shape));
    return completed === undefined ? [] : [{ place, text: completed }];
  });

  it.each([...whole, ...parts])('$place can be used', async ({ text }) => {
    const { file, environment } = await prepare(text, await ownFolder());
    await expect(loadProxyConfig(file, environment)).resolves.toBeDefined();
  });

  it('is found', () => {
    expect(whole.length).toBeGreaterThanOrEqual(5);
    expect(parts.length).toBeGreaterThanOrEqual(5);
  });
});

describe('links', () => {
  const local = PAGES.flatMap((page) =>
    links(page)
      .filter((target) => !/^[a-z]+:/.test(target))
      .map((target) => ({ page, target })),
  );

  it.each(local.map(({ page, target }) => ({ name: `${page.path} → ${target}`, page, target })))(
    '$name leads somewhere',
    ({ page, target }) => {
      const [path = '', anchor] = target.split('#');
      const file = path === '' ? page.path : normalize(join(dirname(page.path), path));
      expect(existsSync(file)).toBe(true);
      if (anchor === undefined) return;
      const text = readFileSync(file, 'utf8');
      expect([...anchors({ path: file, text })]).toContain(anchor);
    },
  );

  it('are found', () => {
    expect(local.length).toBeGreaterThan(30);
  });
});

it('files of the project that the documentation names exist', () => {
  const named = PAGES.flatMap(({ path, text }) =>
    [...text.matchAll(/`((?:src|test|bench|examples|schema)\/[A-Za-z0-9_./-]+)`/g)].map(([, file = '']) => ({
      path,
      file,
    })),
  ).filter(({ file }) => !/NAME/.test(file));
  expect(named.filter(({ file }) => !existsSync(file))).toEqual([]);
  expect(named.length).toBeGreaterThan(20);
});

describe('the table of metrics', () => {
  const operations = pageOf('docs/operations.md');
  const rows = [...operations.text.matchAll(/^\| `(drp_\w+)` \| (.*?) \|/gm)].map(
    ([, name, labels = '']) => ({
      name,
      labels: [...labels.matchAll(/`(\w+)`/g)].map(([, label]) => label),
    }),
  );

  it('has each metric with its labels, and no other', async () => {
    const { registry } = createMetrics();
    const own = registry.getMetricsAsArray().flatMap((metric) => {
      const { name, labelNames = [] } = metric as unknown as { name: string; labelNames?: string[] };
      return name.startsWith('drp_') ? [{ name, labels: labelNames }] : [];
    });
    expect(own.length).toBeGreaterThan(0);
    expect(rows).toEqual(own);
    registry.clear();
  });
});

function pageOf(path: string): Page {
  const page = PAGES.find((candidate) => candidate.path === path);
  if (!page) throw new Error(`there is no ${path}`);
  return page;
}
