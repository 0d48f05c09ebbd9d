import { expect } from 'vitest';
import type { CommandResult } from '../support/commands.ts';

/** Fails with all that the command printed, unless it succeeded. */
export function expectSuccess(result: CommandResult): void {
  expect(result.code, `${result.stdout}\n${result.stderr}`).toBe(0);
}

/** Fails unless the command failed and said so in words that match. */
export function expectFailure(result: CommandResult, words: RegExp): void {
  const printed = `${result.stdout}\n${result.stderr}`;
  expect(result.code, printed).not.toBe(0);
  expect(printed).toMatch(words);
}
