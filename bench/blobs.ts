import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { findBinary } from '../test/support/binaries.ts';
import type { Arena, Contestant } from './arena.ts';
import { interleave, type Measure } from './measure.ts';

const ROUNDS = 5;
const LONGEST_TRANSFER_S = 30;
const BYTES_PER_GB = 1e9;

/** One blob of 1 GiB, one client: what nobody keeps, and everybody passes on. */
export async function measureBlobs(arena: Arena): Promise<Measure[]> {
  const { digest, sizeBytes } = arena.upstream.content.large;
  const download = (contestant: Contestant) => () => downloadGbPerSecond(contestant, digest, sizeBytes);
  const speeds = await interleave(
    {
      nginx: download(arena.nginx),
      nginxUnspooled: download(arena.nginxUnspooled),
      unverified: download(arena.oursUnverified),
      verified: download(arena.ours),
    },
    ROUNDS,
  );
  const peers = [
    { name: 'nginx proxy_pass', value: speeds.nginx },
    { name: 'nginx, no temporary files', value: speeds.nginxUnspooled },
  ];
  return [
    {
      name: 'blob of 1 GiB, passed on unverified',
      unit: 'GB/s',
      ours: speeds.unverified,
      peers,
      aim: { peer: 'nginx proxy_pass', ratio: 0.9 },
    },
    {
      name: 'blob of 1 GiB, passed on with its digest checked',
      unit: 'GB/s',
      ours: speeds.verified,
      peers,
      aim: { peer: 'nginx proxy_pass', ratio: 0.6 },
    },
  ];
}

async function downloadGbPerSecond(
  contestant: Contestant,
  digest: string,
  sizeBytes: number,
): Promise<number> {
  const headers = Object.entries(contestant.headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`]);
  const report = '%{http_code} %{size_download} %{speed_download}';
  const limits = ['--max-time', String(LONGEST_TRANSFER_S)];
  const url = `${contestant.url}/v2/bench/app/blobs/${digest}`;
  const curl = findBinary('curl');
  const output = ['--silent', '--show-error', '--output', '/dev/null', '--write-out', report];
  const { stdout } = await promisify(execFile)(curl, [...output, ...limits, ...headers, url]);
  const [status, bytes, bytesPerSecond] = stdout.split(' ').map(Number);
  if (status !== 200 || bytes !== sizeBytes) throw new Error(`${url} answered ${status} with ${bytes} bytes`);
  return (bytesPerSecond ?? 0) / BYTES_PER_GB;
}
