import { readFileSync, statSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { createKubelet, type Kubelet } from '../kubelet/image-service/support/kubelet.ts';
import { startNotifySocket } from '../kubelet/image-service/support/notify-socket.ts';
import { type FakeRuntime, startFakeRuntime } from '../kubelet/image-service/support/runtime.ts';
import { ownFolder } from '../support/own-folder.ts';
import { waitFor } from '../support/wait.ts';
import {
  pullRequest,
  type RunningImageService,
  type StartOptions,
  startImageService,
} from './image-service-site.ts';

const IMAGE = 'docker.example.com/team/app:1';

let runtime: FakeRuntime;

beforeEach(async () => {
  runtime = await startFakeRuntime();
});

afterEach(() => runtime.close());

async function start(more: object = {}, options: StartOptions = {}): Promise<RunningImageService> {
  const service = await startImageService({ ...backend(runtime), ...more }, options);
  onTestFinished(() => service.close());
  return service;
}

function backend({ socket }: FakeRuntime) {
  return { backend: { type: 'cri', socket } };
}

function connect(service: RunningImageService): Kubelet {
  const kubelet = createKubelet(service.socket, { authority: '/run/x.sock' });
  onTestFinished(() => kubelet.close());
  return kubelet;
}

/** A pull that the runtime has seen, and answers when it is told to. */
async function beginPull(kubelet: Kubelet) {
  const pull = kubelet.call('PullImage', pullRequest(IMAGE));
  const seen = new Promise<() => void>((resolve) => {
    runtime.onCall = (call) => resolve(() => call.reply([Buffer.from('pulled')]));
  });
  return { pull, answer: await seen };
}

describe('a process behind a socket that is held for it', () => {
  const pidOf = (service: RunningImageService) => Number(/started (\d+)/.exec(service.logs())?.[1]);

  it('is started again when it was killed, and the socket serves the next call', async () => {
    const service = await start({}, { activated: true });
    const first = connect(service);
    expect((await first.call('ImageStatus')).status).toBe(0);
    process.kill(pidOf(service), 'SIGKILL');
    // No waiting: the connection is taken by the kernel, and answered by whoever comes.
    expect((await connect(service).call('ImageStatus')).status).toBe(0);
    expect(service.logs().match(/"isActivated":true/g)).toHaveLength(2);
  });

  it('ends the pull under way on SIGTERM and leaves the socket, where new calls wait for the next process', async () => {
    const service = await start({}, { activated: true });
    const before = statSync(service.socket);
    const kubelet = connect(service);
    const { pull, answer } = await beginPull(kubelet);
    process.kill(pidOf(service), 'SIGTERM');
    await waitFor('the end', () => service.logs().includes('shutting down') || undefined);
    const next = connect(service).call('ImageStatus');
    runtime.onCall = (call) => call.reply([]);
    answer();
    expect((await pull).body.subarray(5).toString()).toBe('pulled');
    expect((await next).status).toBe(0);
    const after = statSync(service.socket);
    expect([after.ino, after.mode]).toEqual([before.ino, before.mode]);
    expect(service.logs().match(/"isActivated":true/g)).toHaveLength(2);
  });
});

describe('SIGTERM', () => {
  it('lets a running pull end, and turns new calls away', async () => {
    const service = await start();
    const kubelet = connect(service);
    const { pull, answer } = await beginPull(kubelet);
    service.signal('SIGTERM');
    await waitFor('the end', () => service.logs().includes('shutting down') || undefined);
    const late = await connect(service)
      .call('ImageStatus')
      .catch(() => ({ status: -1 }));
    expect(late.status).toBe(-1);
    answer();
    expect((await pull).body.subarray(5).toString()).toBe('pulled');
    expect(await service.exited).toEqual({ code: 0, signal: null });
  });

  it('waits for calls no longer than it was last told to', async () => {
    const service = await start({ timeouts: { shutdown: '10m' } });
    await service.configure({ ...backend(runtime), timeouts: { shutdown: '100ms' } });
    await waitFor('the reload', () => service.logs().includes('was reloaded') || undefined);
    runtime.onCall = () => undefined;
    const pull = connect(service).call('PullImage', pullRequest(IMAGE));
    const seen = await waitFor('the pull', () => runtime.calls[0]);
    service.signal('SIGTERM');
    expect(await service.exited).toEqual({ code: 0, signal: null });
    await seen.closed;
    await pull.catch(() => undefined);
  });
});

describe('a new configuration', () => {
  it('is taken into use under running calls, and a wrong one is refused', async () => {
    const second = await startFakeRuntime();
    onTestFinished(() => second.close());
    const service = await start();
    const kubelet = connect(service);
    expect((await kubelet.call('ImageStatus')).status).toBe(0);
    await service.configure({ backend: { type: 'cri', socket: 'relative' } });
    await waitFor(
      'the refusal',
      () => /image-service\.yaml:\d+:\d+: backend\.socket/.test(service.logs()) || undefined,
    );
    expect((await kubelet.call('ImageStatus')).status).toBe(0);
    await service.configure(backend(second));
    await waitFor('the reload', () => service.logs().includes('was reloaded') || undefined);
    expect((await kubelet.call('ImageStatus')).status).toBe(0);
    expect([runtime.calls.length, second.calls.length]).toEqual([2, 1]);
  });
});

describe('systemd', () => {
  it('is told of the start, of signs of life, of a reload and of the end', async () => {
    const systemd = await startNotifySocket(await ownFolder());
    onTestFinished(() => systemd.close());
    const service = await start(
      {},
      { environment: { NOTIFY_SOCKET: systemd.path, WATCHDOG_USEC: '600000' } },
    );
    const told = (message: string | RegExp) =>
      waitFor(String(message), () => systemd.messages.find((text) => text.match(message)) && true);
    await told('READY=1');
    await told('WATCHDOG=1');
    service.signal('SIGHUP');
    await told(/^RELOADING=1 MONOTONIC_USEC=\d+$/);
    const ready = () => systemd.messages.filter((text) => text === 'READY=1').length;
    await waitFor('the end of the reload', () => ready() === 2 || undefined);
    service.signal('SIGTERM');
    await told('STOPPING=1');
    await service.exited;
  });
});

describe('the admin socket', () => {
  it('tells of health, readiness and metrics', async () => {
    const folder = await ownFolder();
    const adminSocket = join(folder, 'admin.sock');
    const service = await start({ adminSocket, adminAddress: '127.0.0.1:0' });
    await connect(service).call('ImageFsInfo');
    expect(await get(adminSocket, '/healthz')).toEqual([200, 'ok\n']);
    expect(await get(adminSocket, '/readyz')).toEqual([200, 'ready\n']);
    const [status, metrics] = await get(adminSocket, '/metrics');
    expect(status).toBe(200);
    expect(metrics).toContain('drp_image_service_calls_total{backend="cri",method="ImageFsInfo",code="0"} 1');
    expect(metrics).toMatch(/^process_resident_memory_bytes \d+$/m);
    expect((await get(adminSocket, '/else'))[0]).toBe(404);
    const [, port] = /"adminPort":(\d+)/.exec(service.logs()) ?? [];
    expect((await fetch(`http://127.0.0.1:${port}/healthz`)).status).toBe(200);
    await runtime.stop();
    const [notReady, reason] = await get(adminSocket, '/readyz');
    expect(notReady).toBe(503);
    expect(reason).toContain(runtime.socket);
    expect(readFileSync(join(service.folder, 'log'), 'utf8')).not.toContain('unhandled');
  });
});

function get(socketPath: string, path: string): Promise<[status: number, body: string]> {
  return new Promise((resolve, reject) => {
    request({ socketPath, path, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => resolve([response.statusCode ?? 0, Buffer.concat(chunks).toString()]));
    })
      .once('error', reject)
      .end();
  });
}
