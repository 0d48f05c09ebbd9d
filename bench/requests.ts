import { execFile } from 'node:child_process';
import { get } from 'node:http';
import { promisify } from 'node:util';
import { findBinary } from '../test/support/binaries.ts';
import type { Arena, Contestant } from './arena.ts';
import { interleave, type Measure, median } from './measure.ts';

const ROUNDS = 3;
const CONNECTIONS = 32;
const DURATION_S = 3;
const WARM_UP_S = 1;
const REQUESTS_IN_A_ROW = 200;
const ACCEPT = 'application/vnd.oci.image.manifest.v1+json';

interface Load {
  readonly perSecond: number;
  readonly p99Ms: number;
}

/** GET of a manifest, 32 connections: ours asks the upstream each time, docker-registry has it in its cache. */
export async function measureRequests(arena: Arena): Promise<Measure[]> {
  const wrk = findBinary('wrk');
  const { manifest } = arena.upstream.content;
  const measures: Measure[] = [];
  for (const [kind, reference] of [
    ['digest', manifest],
    ['tag', 'v1'],
  ] as const) {
    const p99 = new Map<string, number[]>();
    const contestant = (name: string, who: Contestant) => async () => {
      const load = await putLoadOn(wrk, who, reference, DURATION_S);
      p99.set(name, [...(p99.get(name) ?? []), load.p99Ms]);
      return load.perSecond;
    };
    for (const who of [arena.ours, arena.nginx, arena.registry]) {
      await putLoadOn(wrk, who, reference, WARM_UP_S);
    }
    const rates = await interleave(
      {
        ours: contestant('ours', arena.ours),
        nginx: contestant('nginx', arena.nginx),
        registry: contestant('registry', arena.registry),
      },
      ROUNDS,
    );
    const latency = (name: string) => median(p99.get(name) ?? []);
    measures.push(
      {
        name: `manifest by ${kind}, ${CONNECTIONS} connections`,
        unit: 'requests/s',
        ours: rates.ours,
        peers: [
          { name: 'docker-registry, from its cache', value: rates.registry },
          { name: 'nginx proxy_pass', value: rates.nginx },
        ],
        aim: { peer: 'docker-registry, from its cache', ratio: 3 },
      },
      {
        name: `manifest by ${kind}, slowest of 100`,
        unit: 'ms',
        ours: latency('ours'),
        peers: [
          { name: 'docker-registry, from its cache', value: latency('registry') },
          { name: 'nginx proxy_pass', value: latency('nginx') },
        ],
      },
    );
  }
  return measures;
}

/** From connecting until the first byte of an answer, one request after the other. */
export async function measureFirstByte(arena: Arena): Promise<Measure[]> {
  const path = `/v2/bench/app/blobs/${arena.upstream.content.medium.digest}`;
  const contestant = (who: Contestant) => () => firstByteMs(who, path);
  // Once as a whole, so that docker-registry has it in its cache from here on.
  await (await fetch(`${arena.registry.url}${path}`)).arrayBuffer();
  const times = await interleave(
    { ours: contestant(arena.ours), nginx: contestant(arena.nginx), registry: contestant(arena.registry) },
    REQUESTS_IN_A_ROW,
  );
  return [
    {
      name: 'blob, time to first byte',
      unit: 'ms',
      ours: times.ours,
      peers: [
        { name: 'nginx proxy_pass', value: times.nginx },
        { name: 'docker-registry, from its cache', value: times.registry },
      ],
    },
  ];
}

async function putLoadOn(wrk: string, who: Contestant, reference: string, seconds: number): Promise<Load> {
  const headers = Object.entries({ accept: ACCEPT, ...who.headers }).flatMap(([name, value]) => [
    '--header',
    `${name}: ${value}`,
  ]);
  const load = ['--threads', '1', '--connections', String(CONNECTIONS), '--duration', `${seconds}s`];
  const url = `${who.url}/v2/bench/app/manifests/${reference}`;
  const { stdout } = await promisify(execFile)(wrk, [...load, '--latency', ...headers, url]);
  if (/Non-2xx|Socket errors/.test(stdout)) throw new Error(`${url} did not answer well:\n${stdout}`);
  const [, rate] = /Requests\/sec:\s+([\d.]+)/.exec(stdout) ?? [];
  const [, p99, unit] = /99%\s+([\d.]+)(us|ms|s)/.exec(stdout) ?? [];
  const msPerUnit = unit === 'us' ? 0.001 : unit === 's' ? 1000 : 1;
  return { perSecond: Number(rate), p99Ms: Number(p99) * msPerUnit };
}

function firstByteMs(who: Contestant, path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const started = performance.now();
    get(`${who.url}${path}`, { headers: who.headers, agent: false }, (response) => {
      response.once('error', reject);
      response.once('data', () => {
        resolve(performance.now() - started);
        response.destroy();
      });
    }).once('error', reject);
  });
}
