import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { SERVICE_ENVIRONMENT } from '../src/kubelet/setup/plan/units.ts';
import { createKubelet, type Kubelet } from '../test/kubelet/image-service/support/kubelet.ts';
import { readMemory } from '../test/support/memory.ts';
import { startProcess } from '../test/support/processes.ts';
import type { Measure } from './measure.ts';

const BYTES_PER_MIB = 1024 ** 2;
const IMAGES = 500;
const WARM_UP_CALLS = 500;
const CALLS = 2000;
/** In turns, so that what else the machine does strikes both alike. */
const ROUND_CALLS = 50;
const MEMORY_CALLS = 10_000;
const AT_ONCE = 20;
// V8 gives memory back once nothing has happened for some seconds.
const SETTLE_MS = 20_000;
const REST_LIMIT_MIB = 60;
const DELAY_LIMIT_MS = 2;
const MOST_GROWTH = 1.15;
/** What a call costs through us, beside the same call to the runtime itself; and what we take on a node. */
export async function measureImageService(): Promise<Measure[]> {
  const folder = await mkdtemp(join(tmpdir(), 'drp-bench-image-service-'));
  const runtime = await startRuntime(folder);
  const socket = join(folder, 's.sock');
  const file = join(folder, 'image-service.yaml');
  await writeFile(file, `socket: ${socket}\nbackend: { type: cri, socket: ${runtime.ready} }\n`);
  const service = await startProcess<true>({
    command: 'dist/drp-node',
    arguments: ['image-service', '--config', file],
    // As its unit starts it.
    environment: { ...process.env, ...SERVICE_ENVIRONMENT },
    logFile: join(folder, 'log'),
    ready: ({ logs }) => logs().includes('"msg":"listening"') || undefined,
  });
  const memoryMib = () => readMemory(service.pid).nowBytes / BYTES_PER_MIB;
  const clients = { direct: createKubelet(runtime.ready), ours: createKubelet(socket) };
  try {
    await delay(SETTLE_MS);
    const rest = memoryMib();
    const latencies: Measure[] = [];
    for (const method of ['ImageStatus', 'ListImages']) latencies.push(...(await compare(method, clients)));
    const settled = memoryMib();
    for (let done = 0; done < MEMORY_CALLS; done += AT_ONCE) {
      await Promise.all(Array.from({ length: AT_ONCE }, () => clients.ours.call('ImageStatus')));
    }
    await delay(SETTLE_MS);
    return [
      ...latencies,
      {
        name: 'image service: memory at rest',
        unit: 'MiB',
        ours: rest,
        peers: [{ name: 'node alone', value: await nodeAloneMib(folder) }],
        aim: { limit: REST_LIMIT_MIB },
      },
      {
        name: `image service: memory after ${MEMORY_CALLS} more calls`,
        unit: 'MiB',
        ours: memoryMib(),
        peers: [{ name: 'before them', value: settled }],
        aim: { peer: 'before them', ratio: MOST_GROWTH, atMost: true },
      },
    ];
  } finally {
    for (const client of Object.values(clients)) client.close();
    await service.close();
    await runtime.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** In a process of its own: what a call takes on its way through one more process is what is measured. */
function startRuntime(folder: string) {
  return startProcess<string>({
    command: process.execPath,
    arguments: [join(import.meta.dirname, 'image-runtime.js'), String(IMAGES)],
    logFile: join(folder, 'runtime-log'),
    ready: ({ logs }) => /^\/.*$/m.exec(logs())?.[0],
  });
}

async function compare(
  method: string,
  clients: { readonly direct: Kubelet; readonly ours: Kubelet },
): Promise<Measure[]> {
  const times = { direct: [] as number[], ours: [] as number[] };
  for (const client of Object.values(clients)) await timeCalls(client, method, WARM_UP_CALLS);
  for (let done = 0; done < CALLS; done += ROUND_CALLS) {
    times.direct.push(...(await timeCalls(clients.direct, method, ROUND_CALLS)));
    times.ours.push(...(await timeCalls(clients.ours, method, ROUND_CALLS)));
  }
  const what = method === 'ListImages' ? `${method} of ${IMAGES}` : method;
  const at = (percent: number) => ({
    direct: percentile(times.direct, percent),
    ours: percentile(times.ours, percent),
  });
  const [p50, p99] = [at(50), at(99)];
  return [
    {
      name: `image service: ${what}, p50`,
      unit: 'ms',
      ours: p50.ours,
      peers: [{ name: 'the runtime itself', value: p50.direct }],
    },
    {
      name: `image service: ${what}, p99 beyond the runtime's own`,
      unit: 'ms',
      ours: Math.max(0, p99.ours - p99.direct),
      peers: [{ name: 'the runtime itself', value: p99.direct }],
      aim: { limit: DELAY_LIMIT_MS },
    },
  ];
}

async function timeCalls(client: Kubelet, method: string, count: number): Promise<number[]> {
  const times: number[] = [];
  for (let call = 0; call < count; call += 1) {
    const started = performance.now();
    const { status } = await client.call(method);
    times.push(performance.now() - started);
    if (status !== 0) throw new Error(`${method} was answered with status ${status}`);
  }
  return times;
}

function percentile(values: readonly number[], percent: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * percent) / 100))] ?? Number.NaN;
}

async function nodeAloneMib(folder: string): Promise<number> {
  const node = await startProcess<true>({
    command: process.execPath,
    arguments: ['-e', 'setInterval(() => undefined, 1000); console.log("up")'],
    logFile: join(folder, 'node-log'),
    ready: ({ logs }) => logs().includes('up') || undefined,
  });
  const mib = readMemory(node.pid).nowBytes / BYTES_PER_MIB;
  await node.close();
  return mib;
}
