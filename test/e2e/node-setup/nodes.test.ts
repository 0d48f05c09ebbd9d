import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { runCommand } from '../../support/commands.ts';
import { ownFolder } from '../../support/own-folder.ts';
import { QUICK, startNode, type TestNode } from './node.ts';

const EXECUTABLE = join(import.meta.dirname, '../../../dist/drp-node');
const SOCI = '/run/soci/soci.sock';
const RUNTIME = '/run/containerd/containerd.sock';

let node: TestNode | undefined;
afterEach(async () => {
  await node?.close();
  node = undefined;
});

it('puts itself before an image service that is there already', async () => {
  const unit = `[Service]
ExecStart=/usr/local/bin/node /drp/test/servers/systemd/image-service.mjs --listen ${SOCI}
RuntimeDirectory=soci
`;
  const plain = `NODEADM_KUBELET_ARGS="--config=/etc/kubernetes/kubelet/config.json --container-runtime-endpoint=unix://${RUNTIME} --image-service-endpoint=unix://${SOCI}"\n`;
  node = await startNode('eks-al2023', {
    '/etc/systemd/system/soci.service': unit,
    '/etc/systemd/system/multi-user.target.wants/soci.service': '/etc/systemd/system/soci.service',
    '/etc/eks/kubelet/environment': plain,
  });
  const before = node.snapshot();
  expect(await node.install()).toMatchObject({ code: 0, stderr: '' });
  expect(node.read('/etc/drp/image-service.yaml')).toContain(`socket: ${SOCI}`);
  expect(await node.status()).toMatchObject({ verdict: 'in-use', strategy: 'drop-in' });

  // A node that is upgraded gets another environment; the wiring does not mind.
  node.write(
    '/etc/eks/kubelet/environment',
    plain.replace('NODEADM_KUBELET_ARGS="', 'NODEADM_KUBELET_ARGS="--max-pods=58 '),
  );
  await node.run('systemctl', 'restart', 'kubelet.service');
  await node.kubeletIsWell();
  expect(await node.status()).toMatchObject({ verdict: 'in-use' });
  expect((await node.install()).stdout).toContain('Nothing to do');
  node.write('/etc/eks/kubelet/environment', plain);

  expect(await node.uninstall()).toMatchObject({ code: 0 });
  expect(node.snapshot()).toEqual(before);
  expect((await node.status()).kubelet.imageServiceEndpoint).toBe(`unix://${SOCI}`);
});

it('sees that an upgrade of the node has rewritten the unit, and is installed again', async () => {
  node = await startNode('eks-al2');
  expect(await node.install()).toMatchObject({ code: 0, stderr: '' });
  const path = '/etc/systemd/system/kubelet.service';
  node.write(path, node.read(path).replace('/usr/bin/kubelet', '/usr/bin/kubelet --max-pods=58'));
  await node.run('systemctl', 'daemon-reload');
  await node.run('systemctl', 'restart', 'kubelet.service');
  await node.kubeletIsWell();
  expect(await node.status()).toMatchObject({ verdict: 'changed', changedFiles: [path] });
  const upgraded = node.snapshot()[path];
  expect(await node.install()).toMatchObject({ code: 0, stderr: '' });
  expect(await node.status()).toMatchObject({ verdict: 'in-use' });
  expect((await node.run('cat', `/proc/${await node.kubeletPid()}/cmdline`)).stdout).toContain(
    '--max-pods=58',
  );
  expect(await node.uninstall()).toMatchObject({ code: 0 });
  expect(node.snapshot()[path]).toBe(upgraded);
});

it('leaves a unit alone that an upgrade has replaced', async () => {
  node = await startNode('gke-cos');
  const path = '/etc/systemd/system/kubelet.service';
  const original = node.read(path);
  expect(await node.install('--strategy', 'unit')).toMatchObject({ code: 0, stderr: '' });
  node.write(path, original.replace('RestartSec=1', 'RestartSec=2'));
  await node.run('systemctl', 'daemon-reload');
  await node.run('systemctl', 'restart', 'kubelet.service');
  await node.kubeletIsWell();
  expect(await node.status()).toMatchObject({ verdict: 'bypassed', changedFiles: [path] });
  expect(await node.install()).toMatchObject({ code: 0, stderr: '' });
  expect(await node.status()).toMatchObject({ verdict: 'in-use' });
  expect(await node.uninstall()).toMatchObject({ code: 0 });
  expect(node.read(path)).toBe(original.replace('RestartSec=1', 'RestartSec=2'));
});

it('is installed from a pod, by the executable and as it, with the root of the host mounted', async () => {
  node = await startNode('kubeadm');
  const before = node.snapshot();
  const home = await ownFolder();
  const { pid, root, run } = node;
  // The name spaces of a pod with hostNetwork: its own files, and its own processes.
  const inPod = (...words: readonly string[]) =>
    runCommand(
      'nsenter',
      [
        ...['--target', String(pid()), '--ipc', '--net', '--pid', '--', 'unshare', '--pid', '--fork'],
        ...[EXECUTABLE, 'node', ...words, '--host-root', root(), ...QUICK],
      ],
      { home },
    );
  // As a program says it whose libraries the host does not have.
  const foreign = join(home, 'foreign');
  await writeFile(foreign, '#!/lib64/ld-of-another-host\n', { mode: 0o755 });
  const refused = await inPod('install', '--executable', foreign);
  expect(refused).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/does not run on this host; journalctl -u drp-node-try/),
  });
  expect(node.snapshot()).toEqual(before);

  const installed = await inPod('install');
  expect(installed).toMatchObject({ code: 0, stderr: '' });
  expect(installed.stdout).toContain('restart kubelet: kubelet.service');
  const status = await node.status();
  expect(status).toMatchObject({ verdict: 'in-use', platform: 'kubeadm', service: { answers: true } });
  const [program = ''] = status.program ?? [];
  expect(program).toMatch(/^\/opt\/drp\/bin\/drp-[0-9a-f]{12}$/);
  const { stdout: service } = await run('systemctl', 'show', '-P', 'MainPID', 'drp-image-service.service');
  expect((await run('readlink', `/proc/${service.trim()}/exe`)).stdout).toBe(`${program}\n`);
  const { stdout: log } = await run('journalctl', '-u', 'kubelet.service', '-o', 'cat');
  expect(log).toContain('kubelet is started with the image service at /run/drp/image-service.sock');

  await node.reboot();
  await node.kubeletIsWell();
  expect(await node.status()).toMatchObject({ verdict: 'in-use', program: [program] });
  expect(await inPod('uninstall')).toMatchObject({ code: 0, stderr: '' });
  expect(node.snapshot()).toEqual(before);
});
