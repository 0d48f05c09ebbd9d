import type { Metadata } from './metadata.ts';

const MILLISECONDS: Readonly<Record<string, number>> = {
  H: 3_600_000,
  M: 60_000,
  S: 1000,
  m: 1,
  u: 0.001,
  n: 0.000_001,
};
/** The longest that a timer of Node can wait. */
const LONGEST_MS = 2 ** 31 - 1;
/** The value may have eight digits. */
const MOST_MILLISECONDS = 99_999_999;

/** `grpc-timeout` in milliseconds; undefined where there is none. @see PROTOCOL-HTTP2.md, "Timeout" */
export function parseTimeoutMs(text: string | undefined): number | undefined {
  const [, value = '', unit = ''] = /^(\d{1,8})([HMSmun])$/.exec(text ?? '') ?? [];
  const factor = MILLISECONDS[unit];
  return factor === undefined ? undefined : Math.min(LONGEST_MS, Number(value) * factor);
}

function formatTimeout(milliseconds: number): string {
  const whole = Math.max(1, Math.ceil(milliseconds));
  return whole <= MOST_MILLISECONDS ? `${whole}m` : `${Math.ceil(whole / 1000)}S`;
}

/** The same metadata with another deadline. */
export function withTimeout(metadata: Metadata, milliseconds: number): Metadata {
  return Object.assign(Object.create(null), metadata, { 'grpc-timeout': formatTimeout(milliseconds) });
}
