const MILLISECONDS_PER_UNIT: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** Reads `500ms`, `30s`, `5m`, `12h` or `7d`. @returns milliseconds, or undefined when it is none of these. */
export function parseDurationMs(text: string): number | undefined {
  const match = /^(\d{1,9})(ms|s|m|h|d)$/.exec(text);
  const unit = match?.[2] && MILLISECONDS_PER_UNIT[match[2]];
  return unit ? Number(match[1]) * unit : undefined;
}
