/** One figure of ours, beside what others reach in the same run. */
export interface Measure {
  readonly name: string;
  readonly unit: string;
  readonly ours: number;
  readonly peers: readonly { readonly name: string; readonly value: number }[];
  readonly aim?: Aim;
}

/** What ours should reach. */
export type Aim =
  /** A multiple of a peer's figure; `atMost` where less is better. */
  | { readonly peer: string; readonly ratio: number; readonly atMost?: boolean }
  /** Not more than this, whatever the peers are. */
  | { readonly limit: number };

/** The middle one of some figures. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/**
 * Runs each contestant `rounds` times, in turns, so that what else the machine does strikes all alike.
 *
 * @returns the median of each
 */
export async function interleave<Name extends string>(
  contestants: Readonly<Record<Name, () => Promise<number>>>,
  rounds: number,
): Promise<Record<Name, number>> {
  const names = Object.keys(contestants) as Name[];
  const results = new Map<Name, number[]>(names.map((name) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const name of names) results.get(name)?.push(await contestants[name]());
  }
  return Object.fromEntries(names.map((name) => [name, median(results.get(name) ?? [])])) as Record<
    Name,
    number
  >;
}
