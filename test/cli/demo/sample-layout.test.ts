import { execFile } from 'node:child_process';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { extract } from 'tar-stream';
import { describe, expect, test } from 'vitest';
import { helloExecutable } from '../../../src/cli/demo/hello-executable.ts';
import { GREETING, writeSampleLayout } from '../../../src/cli/demo/sample-layout.ts';
import { tarArchive } from '../../../src/cli/demo/tar.ts';
import { digestHex } from '../../../src/oci/index.ts';
import { findBinary } from '../../support/binaries.ts';
import { ownFolder } from '../../support/own-folder.ts';

const run = promisify(execFile);
const NAMES = ['hello:latest', 'hello:1.0'];

describe('the executable', () => {
  test.runIf(process.platform === 'linux' && process.arch === 'x64')('runs and greets', async () => {
    const path = join(await ownFolder(), 'hello');
    await writeFile(path, helloExecutable('amd64', GREETING), { mode: 0o755 });
    expect((await run(path)).stdout).toBe(GREETING);
  });

  test('for arm64 is the same but for machine and instructions', () => {
    const executable = helloExecutable('arm64', GREETING);
    expect(executable.subarray(0, 4).toString('latin1')).toBe('\x7fELF');
    expect(executable.readUInt16LE(18)).toBe(183);
    const code = executable.subarray(120);
    const address = code.readUInt32LE(4);
    const distance = ((address >>> 5) & 0x7ffff) * 4 + ((address >>> 29) & 3);
    expect(code.subarray(4 + distance).toString()).toBe(GREETING);
    expect((code.readUInt32LE(8) >>> 5) & 0xffff).toBe(GREETING.length);
  });
});

describe('the archive', () => {
  test('is read back by another implementation', async () => {
    const files = [
      { name: 'hello', mode: 0o755, content: Buffer.from('x'.repeat(700)) },
      { name: 'empty', mode: 0o644, content: Buffer.alloc(0) },
    ];
    const unpack = extract();
    unpack.end(tarArchive(files));
    const found = [];
    for await (const entry of unpack) {
      const chunks: Buffer[] = [];
      for await (const chunk of entry) chunks.push(chunk as Buffer);
      found.push({ name: entry.header.name, mode: entry.header.mode, content: Buffer.concat(chunks) });
      expect(entry.header).toMatchObject({ uid: 0, gid: 0, type: 'file', mtime: new Date(0) });
    }
    expect(found).toEqual(files);
  });
});

describe('the sample layout', () => {
  test('has the same bytes each time', async () => {
    const [first, second] = [await ownFolder(), await ownFolder()];
    const index = await writeSampleLayout(first, NAMES);
    expect(await writeSampleLayout(second, NAMES)).toEqual(index);
    const blobs = await readdir(join(first, 'blobs/sha256'));
    expect(blobs.length).toBe(7);
    expect(await readdir(join(second, 'blobs/sha256'))).toEqual(blobs);
    expect(index.digest).toMatchInlineSnapshot(
      `"sha256:35afd90c023a6bea98d6b248665110bd4c4b13dfabcc3dcdf566deac71b0bf4d"`,
    );
  });

  test('names the image once for each name', async () => {
    const folder = await ownFolder();
    const { digest } = await writeSampleLayout(folder, NAMES);
    const { manifests } = JSON.parse(await readFile(join(folder, 'index.json'), 'utf8'));
    expect(
      manifests.map((entry: { annotations: object; digest: string }) => [
        entry.digest,
        Object.values(entry.annotations),
      ]),
    ).toEqual(NAMES.map((name) => [digest, [name]]));
  });

  test('is taken by skopeo, with all its platforms', async () => {
    const [folder, copy] = [await ownFolder(), await ownFolder()];
    const index = await writeSampleLayout(folder, NAMES);
    const raw = await run(findBinary('skopeo'), ['inspect', '--raw', `oci:${folder}:hello:1.0`]);
    expect(raw.stdout).toBe(await readFile(join(folder, 'blobs/sha256', digestHex(index.digest)), 'utf8'));
    await run(findBinary('skopeo'), ['copy', '--all', `oci:${folder}:hello:1.0`, `oci:${copy}:hello:1.0`]);
    expect(await readdir(join(copy, 'blobs/sha256'))).toEqual(await readdir(join(folder, 'blobs/sha256')));
    const config = await run(findBinary('skopeo'), [
      'inspect',
      '--config',
      '--override-arch',
      'arm64',
      `oci:${copy}:hello:1.0`,
    ]);
    expect(JSON.parse(config.stdout)).toMatchObject({
      architecture: 'arm64',
      config: { Entrypoint: ['/hello'] },
    });
  });

  test('holds the executable in each layer', async () => {
    const folder = await ownFolder();
    await writeSampleLayout(folder, NAMES);
    const blobs = join(folder, 'blobs/sha256');
    const contents = await Promise.all((await readdir(blobs)).map((name) => readFile(join(blobs, name))));
    const layers = contents.filter((content) => content[0] === 0x1f).map((content) => gunzipSync(content));
    expect(layers.length).toBe(2);
    for (const layer of layers) expect(layer.includes(GREETING)).toBe(true);
  });
});
