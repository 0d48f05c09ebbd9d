import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { DEPLOY } from './objects.ts';

const TOP = join(DEPLOY, '..');
const lines = readFileSync(join(DEPLOY, 'Dockerfile'), 'utf8').split('\n');

/** What stands behind each instruction of this name. */
function instructions(name: string): string[] {
  return lines.filter((line) => line.startsWith(`${name} `)).map((line) => line.slice(name.length + 1));
}

it('every stage begins with an image that a digest names, which has no default', () => {
  const stages = instructions('FROM');
  expect(stages).toHaveLength(2);
  for (const stage of stages) expect(stage).toMatch(/^\$\{NODE_IMAGE\}@\$\{NODE_DIGEST\}( AS build)?$/);
  expect(instructions('ARG')).toEqual(['NODE_IMAGE=docker.io/library/node', 'NODE_DIGEST']);
});

it('nothing else comes from where somebody may change it: no frontend by tag, no download', () => {
  expect(lines.filter((line) => /^# *syntax *=/i.test(line))).toEqual([]);
  expect(instructions('ADD')).toEqual([]);
  expect(instructions('COPY').filter((what) => /--from=(?!build )/.test(what))).toEqual([]);
  expect(instructions('RUN').filter((what) => /curl|wget|apt-get|npm (?:i|install)\b/.test(what))).toEqual(
    [],
  );
});

it('the program runs as nobody in particular, by a number that Kubernetes can check', () => {
  expect(instructions('USER')).toEqual(['65532:65532']);
});

it('what is copied from here is there, and is not ignored', () => {
  const allowed = readFileSync(join(TOP, '.dockerignore'), 'utf8').split('\n');
  const sources = instructions('COPY').filter((what) => !what.startsWith('--from'));
  const names = sources.flatMap((what) => what.split(' ').slice(0, -1)).filter((name) => name !== '.');
  expect(names.length).toBeGreaterThan(0);
  for (const name of names) {
    expect(existsSync(join(TOP, name)), name).toBe(true);
    expect(allowed).toContain(`!${name}`);
  }
});
