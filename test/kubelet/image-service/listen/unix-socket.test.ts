import { execFile } from 'node:child_process';
import { chmod, lstat, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { createConnection, createServer, type Server } from 'node:net';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { activatedSocket, listenOnSocket } from '../../../../src/kubelet/image-service/listen/index.ts';
import { ownFolder } from '../../../support/own-folder.ts';

const run = promisify(execFile);

async function listen(path: string): Promise<{ server: Server; close(): Promise<void> }> {
  const server = createServer((socket) => void socket.on('error', () => undefined).end('hello'));
  onTestFinished(() => void server.close());
  return { server, ...(await listenOnSocket(server, path)) };
}

function greeting(path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ path });
    socket.once('data', (data: Buffer) => resolve(data.toString()));
    socket.once('error', reject);
  });
}

describe('the socket', () => {
  it('is for its owner only, in a folder of its own, and leaves nothing behind', async () => {
    const path = join(await ownFolder(), 'new', 's.sock');
    const before = process.umask();
    const { close } = await listen(path);
    expect(process.umask()).toBe(before);
    expect((await lstat(path)).mode & 0o7777).toBe(0o600);
    expect((await lstat(dirname(path))).mode & 0o7777).toBe(0o700);
    expect(await readdir(dirname(path))).toEqual(['s.sock']);
    expect(await greeting(path)).toBe('hello');
    await close();
    expect(await readdir(dirname(path))).toEqual([]);
  });

  it('takes the place of one that a dead process left', async () => {
    const path = join(await ownFolder(), 's.sock');
    await run(process.execPath, [
      '-e',
      `require('node:net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`,
    ]).catch(() => undefined);
    expect((await lstat(path)).isSocket()).toBe(true);
    await listen(path);
    expect(await greeting(path)).toBe('hello');
  });

  it('does not take the place of one that is served', async () => {
    const path = join(await ownFolder(), 's.sock');
    await listen(path);
    await expect(listen(path)).rejects.toThrow(/served by another process/);
    expect(await greeting(path)).toBe('hello');
  });

  it.each(['to a file', 'to nothing'])('does not follow a link %s that was planted there', async (where) => {
    const folder = await ownFolder();
    const [path, target] = [join(folder, 's.sock'), join(folder, 'target')];
    if (where === 'to a file') await writeFile(target, 'precious');
    await symlink(target, path);
    await expect(listen(path)).rejects.toThrow(/is no socket: remove it/);
    if (where === 'to a file') expect(await readFile(target, 'utf8')).toBe('precious');
    else await expect(lstat(target)).rejects.toThrow(/ENOENT/);
  });

  it('does not take the place of a file', async () => {
    const path = join(await ownFolder(), 's.sock');
    await writeFile(path, 'precious');
    await expect(listen(path)).rejects.toThrow(/is no socket/);
    expect(await readFile(path, 'utf8')).toBe('precious');
  });

  it('is not made where others may put something in its place', async () => {
    const folder = join(await ownFolder(), 'open');
    await mkdir(folder);
    await chmod(folder, 0o777);
    await expect(listen(join(folder, 's.sock'))).rejects.toThrow(/others may write to .*chmod go-w/);
  });

  it.runIf(process.getuid?.() === 0)('can not be connected to by another user', async () => {
    const folder = await ownFolder();
    // The folder lets everybody in, so that only the socket itself is in the way.
    await chmod(folder, 0o755);
    const path = join(folder, 's.sock');
    await listen(path);
    const script = `require('node:net').connect(${JSON.stringify(path)}).on('connect', () => console.log('in')).on('error', (e) => console.log(e.code))`;
    const as = (...user: string[]) => run('setpriv', [...user, process.execPath, '-e', script]);
    expect((await as('--reuid=65534', '--regid=65534', '--clear-groups')).stdout.trim()).toBe('EACCES');
    expect((await run(process.execPath, ['-e', script])).stdout.trim()).toBe('in');
  });

  it('that somebody else has put there meanwhile stays when ours is closed', async () => {
    const path = join(await ownFolder(), 's.sock');
    const first = await listen(path);
    first.server.close();
    await listen(path);
    await first.close();
    expect(await greeting(path)).toBe('hello');
  });
});

describe('the socket of systemd', () => {
  it.each([
    [{}, undefined],
    [{ LISTEN_PID: '7', LISTEN_FDS: '1' }, 3],
    [{ LISTEN_PID: '8', LISTEN_FDS: '1' }, undefined],
    [{ LISTEN_PID: '7', LISTEN_FDS: '0' }, undefined],
    [{ LISTEN_PID: '7', LISTEN_FDS: 'x' }, undefined],
  ])('%j is %s', (env, fd) => {
    expect(activatedSocket(env, 7)).toBe(fd);
  });

  it('has to be the only one', () => {
    expect(() => activatedSocket({ LISTEN_PID: '7', LISTEN_FDS: '2' }, 7)).toThrow(
      /more than one ListenStream=/,
    );
  });
});
