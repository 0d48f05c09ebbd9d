import { randomInt } from 'node:crypto';

const VERSION_BOUND = 2 ** 47;

/**
 * A version that no earlier state of any record had. Counting would not do: a record that was deleted and made
 * again would come back to a version that somebody may still hold.
 */
export function newVersion(): number {
  return randomInt(1, VERSION_BOUND);
}
