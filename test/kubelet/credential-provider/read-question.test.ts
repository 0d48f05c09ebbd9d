import { open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readQuestion, readQuestionSync } from '../../../src/kubelet/credential-provider/index.ts';
import { parsePluginRequest, REQUEST_LIMIT_BYTES } from '../../../src/kubelet/credential-provider/request.ts';
import { ownFolder } from '../../support/own-folder.ts';
import { question } from './question.ts';

const IMAGE = 'docker.example.com/team/app';

async function* endless() {
  for (;;) yield Buffer.alloc(64 * 1024, ' ');
}

async function* inPieces(text: string) {
  for (const byte of Buffer.from(text)) yield Buffer.of(byte);
}

async function readFromFile(text: string): Promise<string> {
  const path = join(await ownFolder(), 'question');
  await writeFile(path, text);
  await using file = await open(path);
  return readQuestionSync(file.fd);
}

it('reads a question that comes in pieces', async () => {
  const asked = question(IMAGE, { serviceAccountToken: 'zwölf' });
  expect(await readQuestion(inPieces(asked))).toBe(asked);
  expect(await readFromFile(asked)).toBe(asked);
});

it('reads of one without an end only as much as shows that it is too long', async () => {
  for (const text of [
    await readQuestion(endless()),
    await readFromFile(' '.repeat(4 * REQUEST_LIMIT_BYTES)),
  ]) {
    expect(text).toHaveLength(REQUEST_LIMIT_BYTES + 1);
    expect(() => parsePluginRequest(text)).toThrow('larger than');
  }
});
