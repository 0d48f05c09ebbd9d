import { chmod, rename, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createHostFiles } from '../../../../src/kubelet/setup/host/index.ts';
import {
  install,
  planInstall,
  type SetupDependencies,
  uninstall,
} from '../../../../src/kubelet/setup/index.ts';
import { createFakeNode, type FakeNode, TIMING } from '../fake-node.ts';
import { installOptions, NOBODY_STOPS } from '../kill-matrix.ts';
import { unitTexts } from '../unit-file/unit-texts.ts';

const UNIT = '/etc/systemd/system/kubelet.service';
const RUNTIME = '--container-runtime-endpoint=unix:///run/containerd/containerd.sock';

function unit(command: string): string {
  return `[Unit]\nDescription=Kubelet\n\n[Service]\nExecStart=${command}\nRestart=always\n`;
}

async function nodeWith(command: string) {
  return createFakeNode('eks-al2', {
    [UNIT]: unit(command),
    '/etc/systemd/system/kubelet.service.d/10-kubelet-args.conf':
      '[Service]\nEnvironment=KUBELET_ARGS=--v=2\n',
  });
}

describe('a plan', () => {
  it('restates the command in force, and adds to it', async () => {
    const node = await nodeWith(
      `/usr/bin/kubelet \\\n  ${RUNTIME} "--node-labels=a=b c" \\\n  $KUBELET_ARGS`,
    );
    const { changes, strategy } = await planInstall(installOptions(node), node.setup());
    expect(strategy).toBe('drop-in');
    const text = String(changes.map(({ after }) => (after.type === 'file' ? after.content : '')).at(-1));
    expect(text).toContain(
      `\nExecStart=\nExecStart=/usr/bin/kubelet    ${RUNTIME} "--node-labels=a=b c"    $KUBELET_ARGS $DRP_KUBELET_FLAGS\n`,
    );
    expect(text).not.toContain('Requires=');
  });

  it('puts itself before an image service that is there, and never leaves it out', async () => {
    const node = await nodeWith(`/usr/bin/kubelet ${RUNTIME} --image-service-endpoint unix:///run/soci.sock`);
    const { backend, strategy } = await planInstall(installOptions(node), node.setup());
    expect({ backend, strategy }).toMatchObject({
      strategy: 'drop-in',
      backend: { type: 'cri', socket: '/run/soci.sock', chained: true },
    });
    const configText = 'backend: { type: cri, socket: /run/containerd/containerd.sock }\n';
    await expect(planInstall(installOptions(node, { configText }), node.setup())).rejects.toMatchObject({
      code: 'refused',
    });
    await expect(
      planInstall(installOptions(node, { strategy: 'config-dir' }), node.setup()),
    ).rejects.toMatchObject({ code: 'refused' });
  });

  it('drives Docker Engine for a kubelet that has it built in', async () => {
    const node = await nodeWith('/usr/bin/kubelet --container-runtime docker');
    const { backend } = await planInstall(installOptions(node), node.setup());
    expect(backend).toMatchObject({ type: 'docker', socket: '/var/run/docker.sock' });
  });

  it('fills in a configuration, and keeps what is written there', async () => {
    const node = await nodeWith(`/usr/bin/kubelet ${RUNTIME}`);
    const configText = '# ours\ncredentials: [] # none yet\n';
    const { changes } = await planInstall(installOptions(node, { configText }), node.setup());
    const file = changes.find(({ path }) => path === '/etc/drp/image-service.yaml')?.after;
    expect(file).toMatchObject({ type: 'file', mode: 0o600 });
    expect(file?.type === 'file' && file.content.toString('utf8')).toBe(
      '# ours\ncredentials: [] # none yet\nsocket: /run/drp/image-service.sock\nbackend: { type: cri, socket: /run/containerd/containerd.sock }\n',
    );
  });

  it.each([
    ['a shell', '/bin/sh -c "exec kubelet"'],
    ['no expansion of variables', ':/usr/bin/kubelet'],
    ['another name for the program', '@/usr/bin/kubelet kubelet'],
    ['a runtime that is no socket', '/usr/bin/kubelet --container-runtime-endpoint=tcp://127.0.0.1:1'],
  ])('is refused with %s', async (_, command) => {
    const node = await nodeWith(command);
    await expect(planInstall(installOptions(node), node.setup())).rejects.toMatchObject({ code: 'refused' });
  });

  it('is refused when files were changed behind the back of systemd', async () => {
    const node = await nodeWith(`/usr/bin/kubelet ${RUNTIME}`);
    await node.write(UNIT, unit('/usr/bin/kubelet --v=3'));
    await expect(planInstall(installOptions(node), node.setup())).rejects.toThrow('systemctl daemon-reload');
  });

  it('is refused when systemd runs something else than the files say', async () => {
    const node = await nodeWith(`/usr/bin/kubelet ${RUNTIME}`);
    const setup = node.setup();
    const systemd = {
      ...setup.systemd,
      unit: async (name: string) => ({
        ...(await setup.systemd.unit(name)),
        commands: [['/usr/bin/kubelet']],
      }),
    };
    await expect(planInstall(installOptions(node), { ...setup, systemd })).rejects.toThrow(
      'say something else',
    );
  });

  it('comes after every drop-in that sets the command, or is refused', async () => {
    const dropIn = (name: string) => ({
      [`/etc/systemd/system/kubelet.service.d/${name}`]: `[Service]\nExecStart=\nExecStart=/usr/bin/kubelet ${RUNTIME}\n`,
    });
    const later = await createFakeNode('eks-al2', dropIn('95-own.conf'));
    const { changes } = await planInstall(installOptions(later), later.setup());
    expect(changes.at(-1)?.path).toBe('/etc/systemd/system/kubelet.service.d/zz-drp.conf');
    const last = await createFakeNode('eks-al2', dropIn('zzzzz.conf'));
    await expect(planInstall(installOptions(last), last.setup())).rejects.toMatchObject({ code: 'refused' });
  });

  it.each(['ExecStartPre=', 'EnvironmentFile='])('comes after a drop-in that says %s', async (line) => {
    const path = '/etc/systemd/system/kubelet.service.d/95-own.conf';
    const node = await createFakeNode('eks-al2', { [path]: `[Service]\n${line}\n` });
    const { changes } = await planInstall(installOptions(node), node.setup());
    expect(changes.at(-1)?.path).toBe('/etc/systemd/system/kubelet.service.d/zz-drp.conf');
    await expect(planInstall(installOptions(node, { strategy: 'unit' }), node.setup())).rejects.toMatchObject(
      { code: 'refused', message: expect.stringContaining(path) },
    );
  });

  it('takes another place for the program where one allows no execution', async () => {
    const node = await createFakeNode('gke-cos');
    await node.write(
      '/proc/1/mountinfo',
      [
        '1 0 8:1 / / ro - ext2 /dev/root ro',
        '2 1 8:1 / /home rw,noexec - ext4 /dev/sda1 rw',
        '3 1 8:1 / /home/kubernetes/bin rw - ext4 /dev/sda1 rw',
      ].join('\n'),
    );
    const { copy } = await planInstall(installOptions(node), node.setup());
    expect(copy?.path).toMatch(/^\/home\/kubernetes\/bin\/drp-[0-9a-f]{12}$/);
    const program = { type: 'copy', source: `${node.root}/srv/drp`, folder: '/home/elsewhere' } as const;
    await expect(planInstall(installOptions(node, { program }), node.setup())).rejects.toThrow(
      'does not allow',
    );
  });
});

describe('what somebody has changed, and kubelet does not run with yet', () => {
  const ENVIRONMENT = '/etc/eks/kubelet/environment';
  const DROP_IN = '/etc/systemd/system/kubelet.service.d/10-kubelet-args.conf';
  const refusal = { code: 'refused', message: expect.stringContaining('systemctl restart kubelet.service') };
  const plan = (node: FakeNode) => planInstall(installOptions(node), node.setup());

  it.each([
    ['the command', UNIT, unit(`/usr/bin/kubelet ${RUNTIME} -v 3 $KUBELET_ARGS`)],
    ['a variable', DROP_IN, '[Service]\nEnvironment=KUBELET_ARGS=--v=3\n'],
    ['a variable that is new', DROP_IN, '[Service]\nEnvironment=KUBELET_ARGS=--v=2\nEnvironment=X=--v=3\n'],
  ])('is refused to go live with ours: %s', async (_, path, text) => {
    const node = await nodeWith(`/usr/bin/kubelet ${RUNTIME} -v 2 $KUBELET_ARGS $X`);
    expect(await plan(node)).toMatchObject({ restartKubelet: true });
    await node.write(path, text);
    await node.reload();
    await expect(plan(node)).rejects.toMatchObject(refusal);
    await node.startKubelet();
    expect(await plan(node)).toMatchObject({ restartKubelet: true });
  });

  it('is refused to go live with ours: a file of variables', async () => {
    const node = await createFakeNode('eks-al2023');
    const text = await node.read(ENVIRONMENT);
    await node.write(ENVIRONMENT, text.replace('10.0.0.1', '10.0.0.2'));
    await expect(plan(node)).rejects.toMatchObject(refusal);
    // What is not plain is not judged.
    await node.write(ENVIRONMENT, `${text}OTHER='a'"b"\n`);
    expect(await plan(node)).toMatchObject({ restartKubelet: true });
  });

  it('is refused to go live with ours: a file of its configuration', async () => {
    const node = await createFakeNode('eks-al2023');
    const later = new Date(Date.now() + 60_000);
    await utimes(join(node.root, '/etc/kubernetes/kubelet/config.json.d/40-nodeadm.conf'), later, later);
    await expect(plan(node)).rejects.toMatchObject(refusal);
  });

  it('is no matter where kubelet is not restarted', async () => {
    const node = await createFakeNode('eks-al2023');
    await install(installOptions(node), TIMING, node.setup(), NOBODY_STOPS);
    await node.write(ENVIRONMENT, (await node.read(ENVIRONMENT)).replace('10.0.0.1', '10.0.0.2'));
    expect(await plan(node)).toMatchObject({ changes: [], restartKubelet: false });
  });

  it('is not seen behind a program that starts kubelet', async () => {
    const node = await createFakeNode('eks-al2023', {
      [UNIT]: unit('/usr/local/bin/start-kubelet --quick'),
    });
    const args = ['/usr/bin/kubelet', '--config-dir=/etc/kubernetes/kubelet/config.json.d', RUNTIME, ''];
    await node.write(`/proc/${node.restarts}/cmdline`, args.join('\0'));
    expect(await plan(node)).toMatchObject({ strategy: 'config-dir' });
  });
});

describe('files in --config-dir that name an image service', () => {
  const folder = '/etc/kubernetes/kubelet/config.json.d';
  const soci = JSON.stringify({ imageServiceEndpoint: 'unix:///run/soci.sock' });
  const nodeWithFile = (name: string, text = soci) =>
    createFakeNode('eks-al2023', { [`${folder}/${name}`]: text });

  it.each(['99-soci.conf', '99-own/10-soci.conf'])('after ours: it takes a flag: %s', async (name) => {
    const node = await nodeWithFile(name);
    expect(await planInstall(installOptions(node), node.setup())).toMatchObject({
      strategy: 'drop-in',
      backend: { socket: '/run/soci.sock', chained: true },
    });
    await expect(
      planInstall(installOptions(node, { strategy: 'config-dir' }), node.setup()),
    ).rejects.toMatchObject({ code: 'refused', message: expect.stringContaining(`${folder}/${name} wins`) });
  });

  it.each(['10-soci.conf', '10-own/99-soci.conf'])('before ours: a file does: %s', async (name) => {
    const node = await nodeWithFile(name);
    expect(await planInstall(installOptions(node), node.setup())).toMatchObject({
      strategy: 'config-dir',
      backend: { socket: '/run/soci.sock', chained: true },
    });
  });

  it('after ours, and that there is none: it takes a flag too', async () => {
    const node = await nodeWithFile('99-none.conf', JSON.stringify({ imageServiceEndpoint: '' }));
    expect(await planInstall(installOptions(node), node.setup())).toMatchObject({
      strategy: 'drop-in',
      backend: { socket: '/run/containerd/containerd.sock', chained: false },
    });
  });
});

it('goes over to another socket, and does not put itself behind itself', async () => {
  const node = await createFakeNode('eks-al2');
  await install(installOptions(node), TIMING, node.setup(), NOBODY_STOPS);
  const options = installOptions(node, {
    socket: '/run/drp/other.sock',
    configText: 'credentials: []\n',
  });
  expect(await planInstall(options, node.setup())).toMatchObject({
    backend: { socket: '/run/containerd/containerd.sock', chained: false },
    restartKubelet: true,
  });
});

describe('a unit file that is changed', () => {
  const unitPlan = (node: FakeNode, changes: Partial<SetupDependencies> = {}) =>
    planInstall(installOptions(node, { strategy: 'unit' }), node.setup(changes));

  it('keeps its mode and its owner', async () => {
    const node = await nodeWith(`/usr/bin/kubelet ${RUNTIME}`);
    await chmod(join(node.root, UNIT), 0o600);
    const { changes } = await unitPlan(node);
    expect(changes.find(({ path }) => path === UNIT)?.after).toMatchObject({ mode: 0o600, uid: 0, gid: 0 });
  });

  it('is put back also when somebody has changed who may read it', async () => {
    const node = await nodeWith(`/usr/bin/kubelet ${RUNTIME}`);
    const before = await node.snapshot();
    const options = installOptions(node, { strategy: 'unit' });
    await install(options, TIMING, node.setup(), NOBODY_STOPS);
    await chmod(join(node.root, UNIT), 0o600);
    expect(await install(options, TIMING, node.setup(), NOBODY_STOPS)).toMatchObject({
      outcome: 'installed',
    });
    expect((await stat(join(node.root, UNIT))).mode & 0o777).toBe(0o600);
    expect(await uninstall(TIMING, node.setup())).toMatchObject({ notes: [] });
    expect(await node.snapshot()).toEqual(before);
  });

  it('is found again when it was a link', async () => {
    const node = await nodeWith(`/usr/bin/kubelet ${RUNTIME}`);
    const target = '/etc/systemd/system/kubelet.service.real';
    await rename(join(node.root, UNIT), join(node.root, target));
    await symlink('kubelet.service.real', join(node.root, UNIT));
    const options = installOptions(node, { strategy: 'unit' });
    await install(options, TIMING, node.setup(), NOBODY_STOPS);
    expect(await install(options, TIMING, node.setup(), NOBODY_STOPS)).toMatchObject({
      outcome: 'unchanged',
    });
    expect(await node.read(target)).toBe(unit(`/usr/bin/kubelet ${RUNTIME}`));
  });

  it('is refused with bytes that would be damaged', async () => {
    const node = await nodeWith(`/usr/bin/kubelet ${RUNTIME}`);
    await writeFile(
      join(node.root, UNIT),
      Buffer.from(`# f\xfcr uns\n${unit(`/usr/bin/kubelet ${RUNTIME}`)}`, 'latin1'),
    );
    await node.reload();
    await expect(unitPlan(node)).rejects.toThrow('no UTF-8');
    expect(await planInstall(installOptions(node), node.setup())).toMatchObject({ strategy: 'drop-in' });
  });

  it('is refused when its owner could not be put back', async () => {
    const node = await nodeWith(`/usr/bin/kubelet ${RUNTIME}`);
    const { files } = node.setup();
    const others = {
      ...files,
      canMake: createHostFiles(node.root, true, false).canMake,
      snapshot: async (path: string) => {
        const entry = await files.snapshot(path);
        return entry.type === 'file' && path === UNIT ? { ...entry, uid: 1000 } : entry;
      },
    };
    await expect(unitPlan(node, { files: others })).rejects.toThrow('belongs to 1000:0');
  });

  it('is refused where SELinux would miss its label', async () => {
    const node = await nodeWith(`/usr/bin/kubelet ${RUNTIME}`);
    await node.write('/sys/fs/selinux/enforce', '1');
    await expect(unitPlan(node)).rejects.toThrow('use --strategy drop-in');
    expect(await planInstall(installOptions(node), node.setup())).toMatchObject({ strategy: 'drop-in' });
    await node.write('/sys/fs/selinux/enforce', '0');
    expect(await unitPlan(node)).toMatchObject({ strategy: 'unit' });
  });
});

it('a unit file is either edited so that only our lines are new, or refused and left alone', async () => {
  const node = await nodeWith(`/usr/bin/kubelet ${RUNTIME}`);
  await fc.assert(
    fc.asyncProperty(unitTexts, fc.boolean(), async ({ text }, broken) => {
      const own = `${broken ? 'nonsense\n' : ''}${text}\n[Service]\nExecStart=\nExecStart=/usr/bin/kubelet ${RUNTIME}\n`;
      await node.write(UNIT, own);
      await node.reload();
      try {
        const { changes } = await planInstall(installOptions(node, { strategy: 'unit' }), node.setup());
        const after = changes.find(({ path }) => path === UNIT)?.after;
        const edited = after?.type === 'file' ? after.content.toString('utf8') : '';
        expect(broken).toBe(false);
        const theirs = edited
          .split('\n')
          .filter(
            (line) =>
              !/^(?:Wants|After)=drp-|^ExecStartPre=-\S+ .*drp|^EnvironmentFile=-\/run\/drp\/|^\[Unit\]\r?$/.test(
                line,
              ),
          );
        const expected = own.split('\n').filter((line) => !/^\[Unit\]\r?$/.test(line));
        expect(theirs.join('\n').replace(' $DRP_KUBELET_FLAGS', '').trimEnd()).toBe(
          expected.join('\n').trimEnd(),
        );
      } catch (error) {
        if (!broken) throw error;
        expect(error).toMatchObject({ message: expect.stringMatching(/line|ExecStart/) });
      }
      expect(await node.read(UNIT)).toBe(own);
    }),
    { numRuns: 40 },
  );
});
