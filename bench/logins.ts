import { setTimeout as delay } from 'node:timers/promises';
import type { Arena, Contestant } from './arena.ts';
import { type Measure, median } from './measure.ts';

const LOGINS = 8;
const ROUNDS = 5;
const CALM_MS = 1000;
const DELAY_LIMIT_MS = 50;
/** In the arena's password file, with a costly hash. */
const COSTLY_USER = 'costly';

/** How much longer the slowest of many small requests takes while eight passwords with a costly hash are checked. */
export async function measureLogins({ ours, upstream }: Arena): Promise<Measure[]> {
  const path = `/v2/bench/app/manifests/${upstream.content.manifest}`;
  const calm: number[] = [];
  const busy: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    calm.push(await slowestWhile(ours, path, delay(CALM_MS)));
    busy.push(await slowestWhile(ours, path, failLogins(ours, round)));
  }
  return [
    {
      name: `slowest request during ${LOGINS} logins, beyond that without`,
      unit: 'ms',
      ours: Math.max(0, median(busy) - median(calm)),
      peers: [{ name: 'ours, without logins', value: median(calm) }],
      aim: { limit: DELAY_LIMIT_MS },
    },
  ];
}

async function slowestWhile(who: Contestant, path: string, work: Promise<unknown>): Promise<number> {
  let running = true;
  const done = work.finally(() => {
    running = false;
  });
  let slowest = 0;
  while (running) {
    const started = performance.now();
    await (await fetch(`${who.url}${path}`, { headers: who.headers })).arrayBuffer();
    slowest = Math.max(slowest, performance.now() - started);
  }
  await done;
  return slowest;
}

/** Wrong passwords: right ones are remembered for a while, and cost nothing then. */
async function failLogins(who: Contestant, round: number): Promise<void> {
  const attempts = Array.from({ length: LOGINS }, async (_, index) => {
    const basic = Buffer.from(`${COSTLY_USER}:wrong-${round}-${index}`).toString('base64');
    const { status } = await fetch(`${who.url}/token`, { headers: { authorization: `Basic ${basic}` } });
    if (status !== 401) throw new Error(`a wrong password was answered with ${status}`);
  });
  await Promise.all(attempts);
}
