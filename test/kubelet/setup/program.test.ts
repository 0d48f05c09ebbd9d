import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { install, nodeStatus, type SetupDependencies } from '../../../src/kubelet/setup/index.ts';
import { createFakeNode, TIMING } from './fake-node.ts';
import { installOptions, NOBODY_STOPS, SOCKET } from './kill-matrix.ts';

it('a program that is gone or was changed is seen, and put there again', async () => {
  const node = await createFakeNode('eks-al2');
  const run = (changes: Partial<SetupDependencies> = {}) =>
    install(installOptions(node), TIMING, node.setup(changes), NOBODY_STOPS);
  const status = () => nodeStatus('kubelet.service', SOCKET, node.setup());
  const { plan } = await run();
  const [program = ''] = plan.record.program;
  const [whole, restarts] = [await node.read(program), node.restarts];
  const damages = [() => node.write(program, 'garbage'), () => rm(join(node.root, program))];
  for (const damage of damages) {
    await damage();
    expect(await status()).toMatchObject({ verdict: 'changed', changedFiles: [program] });
    expect(await run()).toMatchObject({ outcome: 'installed', plan: { restartService: true } });
    expect(await node.read(program)).toBe(whole);
    expect(await status()).toMatchObject({ verdict: 'in-use', changedFiles: [] });
  }
  expect(node.restarts).toBe(restarts);

  await node.write(program, 'garbage');
  const { files } = node.setup();
  const copyIn = async (): Promise<void> => {
    throw new Error('the disk is full');
  };
  await expect(run({ files: { ...files, copyIn } })).rejects.toThrow('the disk is full');
  expect(await node.read(program)).toBe('garbage');
});
