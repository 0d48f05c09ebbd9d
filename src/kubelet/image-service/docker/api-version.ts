import { z } from 'zod';

/** Engine 25's. Its answers are the ones that are read here; Engine 29 still speaks it, and refuses older ones. */
const PREFERRED = '1.44';

const versionAnswer = z.looseObject({ ApiVersion: z.string(), MinAPIVersion: z.string().optional() });

/**
 * The version of the Engine API to speak: {@link PREFERRED}, or what is nearest to it of those that the engine offers.
 * @param answer of `GET /version`
 * @returns undefined when that isn't the answer of a Docker Engine
 */
export function chooseApiVersion(answer: unknown): string | undefined {
  const parsed = versionAnswer.safeParse(answer);
  if (!parsed.success) return undefined;
  const { ApiVersion: newest, MinAPIVersion: oldest } = parsed.data;
  const [preferred, high, low] = [PREFERRED, newest, oldest ?? newest].map(toNumbers);
  if (!preferred || !high || !low) return undefined;
  if (isOlder(high, preferred)) return high.join('.');
  return isOlder(preferred, low) ? low.join('.') : PREFERRED;
}

type Version = readonly [major: number, minor: number];

function toNumbers(version: string): Version | undefined {
  const match = /^(\d{1,4})\.(\d{1,4})$/.exec(version);
  return match ? [Number(match[1]), Number(match[2])] : undefined;
}

function isOlder(a: Version, b: Version): boolean {
  return a[0] < b[0] || (a[0] === b[0] && a[1] < b[1]);
}
