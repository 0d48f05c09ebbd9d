import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { runGuard } from '../../../../src/kubelet/setup/guard/index.ts';
import { createHostFiles } from '../../../../src/kubelet/setup/host/index.ts';
import { ownFolder } from '../../../support/own-folder.ts';
import { createStepClock } from '../step-clock.ts';

const SOCKET = '/run/drp/image-service.sock';

async function guard(answers: readonly boolean[], path: string) {
  const root = await ownFolder();
  await mkdir(join(root, 'run'));
  await mkdir(join(root, 'etc'));
  await writeFile(join(root, 'etc/90-drp.conf'), 'of an earlier start');
  const asked: number[] = [];
  const result = await runGuard(
    {
      socket: SOCKET,
      target: { type: path.startsWith('/run') ? 'environment-file' : 'kubelet-config', path },
      waitMs: 1_000,
    },
    {
      files: createHostFiles(root),
      clock: createStepClock(),
      probe: {
        async fileSystems(_, timeoutMs) {
          asked.push(timeoutMs);
          if (answers[asked.length - 1] ?? answers.at(-1)) return ['/var/lib/images'];
          throw new Error('nobody answers');
        },
      },
    },
  );
  return { result, asked, text: await readFile(join(root, path), 'utf8').catch(() => undefined) };
}

it('gives kubelet the flag when the image service answers', async () => {
  const { result, text } = await guard([true], '/run/drp/kubelet.env');
  expect(result).toEqual({ use: true, reason: undefined });
  expect(text).toBe(`DRP_KUBELET_FLAGS=--image-service-endpoint=unix://${SOCKET}\n`);
});

it('gives kubelet a file when it reads a folder', async () => {
  const { text } = await guard([true], '/etc/90-drp.conf');
  expect(JSON.parse(text ?? '')).toEqual({
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    imageServiceEndpoint: `unix://${SOCKET}`,
  });
});

it('waits for one that is just starting', async () => {
  const { result, asked } = await guard([false, false, true], '/run/drp/kubelet.env');
  expect(result.use).toBe(true);
  expect(asked).toEqual([1000, 800, 600]);
});

it.each(['/run/drp/kubelet.env', '/etc/90-drp.conf'])(
  'takes back what an earlier start has decided when nothing answers: %s',
  async (path) => {
    const { result, asked, text } = await guard([false], path);
    expect(result).toEqual({ use: false, reason: 'nobody answers' });
    expect(asked.length).toBeLessThanOrEqual(5);
    expect(text).toBeUndefined();
  },
);
