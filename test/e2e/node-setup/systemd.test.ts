import { afterAll, beforeAll, expect, it } from 'vitest';
import { quoteCommand, settingsInForce } from '../../../src/kubelet/setup/unit-file/index.ts';
import { startNode, type TestNode } from './node.ts';

let node: TestNode;
beforeAll(async () => {
  node = await startNode('kubeadm');
});
afterAll(() => node?.close());

it('reads the commands that we write as they are meant', async () => {
  const words = [
    '/bin/echo',
    'plain',
    'a b',
    '"',
    "'",
    '\\',
    '\\x41',
    ';',
    '%n',
    '%%',
    '$HOME',
    '$' + '{HOME}',
    '#',
    '[Unit]',
    'é',
    '',
  ];
  node.write(
    '/etc/systemd/system/quoted.service',
    `[Service]\nType=oneshot\nExecStart=${quoteCommand(words)}\n`,
  );
  await node.run('systemctl', 'daemon-reload');
  const { stdout } = await node.run(
    ...(['busctl', '--json=short', 'get-property', 'org.freedesktop.systemd1'] as const),
    ...['/org/freedesktop/systemd1/unit/quoted_2eservice', 'org.freedesktop.systemd1.Service', 'ExecStart'],
  );
  const { data } = JSON.parse(stdout) as { data: [string, string[]][] };
  // Variables are replaced only when it is run.
  expect(data.map(([, argv]) => argv.map((word) => word.replaceAll('$$', '$')))).toEqual([words]);
  await node.run('systemctl', 'start', 'quoted.service');
  const { stdout: printed } = await node.run('journalctl', '-u', 'quoted.service', '-o', 'cat');
  expect(printed).toContain(words.slice(1).join(' ').trimEnd());
});

it('ends lines where systemd does', async () => {
  const path = '/etc/systemd/system/lines.service';
  const text =
    '[Service]\nExecStart=/bin/echo a\\\\\nEnvironment=B=2\\\\\\\n# not this\nC=3\nEnvironment=D=4\n';
  node.write(path, text);
  await node.run('systemctl', 'daemon-reload');
  const { stdout } = await node.run('systemctl', 'show', '-P', 'Environment', 'lines.service');
  const values = settingsInForce([{ path, text }], 'Environment').map(({ assignment }) => assignment.value);
  expect(values).toEqual(['B=2\\\\ C=3', 'D=4']);
  // It shows a backslash as it has to be written.
  expect(stdout.trim().replaceAll('"', '')).toBe(values.join(' '));
});

it.each([
  ['its own socket', '/run/systemd/private'],
  ['the system bus', '/nowhere'],
])('answers on %s, time after time', async (_, socket) => {
  const script = `
    const { readFile, rm, writeFile } = await import('node:fs/promises');
    const { setTimeout: sleep } = await import('node:timers/promises');
    const { connectToSystemd } = await import('/drp/dist/kubelet/setup/systemd/index.js');
    for (let round = 0; round < 15; round++) {
      const systemd = await connectToSystemd({ private: '${socket}', system: '/run/dbus/system_bus_socket' });
      const { loadState, commands } = await systemd.unit('kubelet.service');
      if (loadState !== 'loaded' || commands[0][0] !== '/usr/bin/kubelet') throw new Error('not read');
      if (round === 0) {
        await systemd.reload();
        await systemd.restart('containerd.service');
        const timer = { name: 'drp-test', description: 'A test', afterMs: 600000, againMs: 600000, commands: [{ words: ['/bin/true', '%n $X'] }] };
        await systemd.startTimer(timer);
        const again = await systemd.startTimer(timer).catch((error) => error.code);
        if (again !== 'busy') throw new Error('two timers of one name');
        await systemd.stop('drp-test.timer');
        await systemd.resetFailed('drp-test.service');
        const often = { ...timer, afterMs: 100, againMs: 100, commands: [{ words: ['/bin/sh', '-c', 'echo >> /run/fired'] }] };
        await systemd.startTimer(often);
        while ((await readFile('/run/fired', 'utf8').catch(() => '')).length < 2) await sleep(50);
        await systemd.stop('drp-test.timer');
        await rm('/run/fired');
        const service = { name: 'drp-own', description: 'A test', command: ['/bin/sh', '-c', 'trap "exit 0" TERM; while [ ! -e /run/go ]; do sleep 1; done'] };
        await systemd.startService(service);
        const second = await systemd.startService(service).catch((error) => error.code);
        if (second !== 'busy') throw new Error('two services of one name');
        await systemd.stop('drp-own.service');
        await systemd.startService(service);
        await writeFile('/run/go', '');
        while ((await systemd.unit('drp-own.service')).loadState !== 'not-found') await sleep(50);
        await rm('/run/go');
        const command = { name: 'drp-test-once', description: 'A test', timeoutMs: 20000 };
        const ran = [];
        for (const words of [['/bin/true'], ['/bin/false'], ['/bin/false'], ['/nowhere/program'], ['/bin/true']]) {
          ran.push(await systemd.runOnce({ ...command, words }));
        }
        if (String(ran) !== 'true,false,false,false,true') throw new Error('run once: ' + ran);
        if (await systemd.runOnce({ ...command, words: ['/bin/sleep', '600'], timeoutMs: 100 })) throw new Error('not in time');
        if ((await systemd.unit('drp-test-once.service')).loadState !== 'not-found') throw new Error('left behind');
        const failed = await systemd.start('nowhere.service').catch((error) => error.message);
        if (!/nowhere/.test(failed)) throw new Error('a unit that is not there was started');
      }
      await systemd.close();
    }
    console.log('done');`;
  expect(await node.run('/usr/local/bin/node', '--input-type=module', '-e', script)).toMatchObject({
    code: 0,
    stdout: 'done\n',
  });
});
