import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A page of the documentation. */
export interface Page {
  /** From the project's folder. */
  readonly path: string;
  readonly text: string;
}

/** A fenced block of code. */
export interface CodeBlock {
  readonly language: string;
  readonly text: string;
  /** Of its first line, from 1. */
  readonly line: number;
}

/** README, CONTRIBUTING and everything below docs/. */
export function readPages(): Page[] {
  const below = readdirSync('docs', { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name));
  const paths = ['README.md', 'CONTRIBUTING.md', ...below];
  return paths.map((path) => ({ path, text: readFileSync(path, 'utf8') }));
}

const FENCE = /^( *)```(\w*).*\n([\s\S]*?)^ *```$/gm;

export function codeBlocks({ text }: Page): CodeBlock[] {
  return [...text.matchAll(FENCE)].map(([, indent = '', language = '', body = ''], index, all) => ({
    language,
    text: body.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
    line: text.slice(0, all[index]?.index).split('\n').length + 1,
  }));
}

/** Targets of links and pictures, as they are written. */
export function links({ text }: Page): string[] {
  const prose = text.replaceAll(FENCE, '').replaceAll(/`[^`\n]*`/g, '`');
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);
}

/** Names that links can lead to behind `#`, made as GitHub makes them. */
export function anchors({ text }: Page): ReadonlySet<string> {
  const headings = [...text.replaceAll(FENCE, '').matchAll(/^#+ +(.+)$/gm)].map(([, title = '']) => title);
  const seen = new Map<string, number>();
  return new Set(
    headings.map((title) => {
      const slug = title
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-');
      const times = seen.get(slug) ?? 0;
      seen.set(slug, times + 1);
      return times === 0 ? slug : `${slug}-${times}`;
    }),
  );
}
