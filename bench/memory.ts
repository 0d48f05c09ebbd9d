import { readdirSync, readFileSync } from 'node:fs';
import { get, type IncomingMessage } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { readMemory } from '../test/support/memory.ts';
import type { Arena, Contestant } from './arena.ts';
import type { Measure } from './measure.ts';

const BYTES_PER_MIB = 1024 ** 2;
const REST_LIMIT_MIB = 90;
const READERS = 500;
// Long enough for every buffer on the way to fill.
const SETTLE_MS = 3000;

/** What each process takes before anybody has asked it for anything. */
export function measureRest(arena: Arena): Measure[] {
  return [
    {
      name: 'memory at rest',
      unit: 'MiB',
      ours: groupMemoryMib(arena.ours.pid),
      peers: [
        { name: 'docker-registry', value: groupMemoryMib(arena.registry.pid) },
        { name: 'nginx', value: groupMemoryMib(arena.nginx.pid) },
      ],
      aim: { limit: REST_LIMIT_MIB },
    },
  ];
}

/** 500 clients open a blob of 32 MiB and read almost nothing of it. */
export async function measureSlowReaders(arena: Arena): Promise<Measure[]> {
  const path = `/v2/bench/app/blobs/${arena.upstream.content.medium.digest}`;
  const ours = await withSlowReaders(arena.ours, path);
  const registry = await withSlowReaders(arena.registry, path);
  return [
    {
      name: `memory with ${READERS} slow readers`,
      unit: 'MiB',
      ours,
      peers: [{ name: 'docker-registry, from its cache', value: registry }],
      aim: { peer: 'docker-registry, from its cache', ratio: 1 / 7, atMost: true },
    },
  ];
}

async function withSlowReaders(who: Contestant, path: string): Promise<number> {
  const readers = await Promise.all(Array.from({ length: READERS }, () => open(who, path)));
  await delay(SETTLE_MS);
  const mib = groupMemoryMib(who.pid);
  for (const reader of readers) reader.destroy();
  return mib;
}

function open(who: Contestant, path: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    get(`${who.url}${path}`, { headers: who.headers, agent: false }, (response) => {
      if (response.statusCode === 200) resolve(response.on('error', () => undefined));
      else reject(new Error(`${who.url}${path} answered ${response.statusCode}`));
    }).once('error', reject);
  });
}

/** A process and its children: nginx works in several. */
function groupMemoryMib(pid: number): number {
  const children = readdirSync('/proc').filter((name) => {
    try {
      return readFileSync(`/proc/${name}/stat`, 'utf8').split(') ')[1]?.split(' ')[1] === String(pid);
    } catch {
      return false;
    }
  });
  const total = [pid, ...children.map(Number)].reduce((sum, id) => sum + readMemory(id).nowBytes, 0);
  return total / BYTES_PER_MIB;
}
