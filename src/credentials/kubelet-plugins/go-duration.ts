const MILLISECONDS_PER_UNIT: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};
const MAXIMUM_LENGTH = 100;

/** Reads a duration as Go writes it: `12h`, `5m0s`, `1.5h`, `0`. @returns milliseconds; undefined for anything else */
export function parseGoDuration(text: string): number | undefined {
  if (text === '0') return 0;
  if (
    text.length > MAXIMUM_LENGTH ||
    !/^(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|\u00b5s|\u03bcs|ms|s|m|h))+$/.test(text)
  ) {
    return undefined;
  }
  const parts = text.matchAll(/(\d+\.?\d*|\.\d+)(ns|us|\u00b5s|\u03bcs|ms|s|m|h)/g);
  return [...parts].reduce(
    (sum, [, number = '', unit = '']) => sum + Number(number) * (MILLISECONDS_PER_UNIT[unit] ?? 0),
    0,
  );
}
