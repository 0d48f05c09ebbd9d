import { expect, it } from 'vitest';
import { stepReporter } from '../../../src/cli/node/reporter.ts';

it.each([
  [false, false, 'wait for lease: node-2'],
  [false, true, '{"event":"step","name":"wait for lease","subject":"node-2"}'],
  [true, false, 'wait for lease: node-2'],
])('tells each step, looked at: %j, as JSON: %j', (isInteractive, json, expected) => {
  const lines: string[] = [];
  const print = (text: string): void => void lines.push(text);
  const terminal = { env: {}, isInteractive, print, printError: print, setExitCode: () => undefined };
  stepReporter(terminal, json)({ name: 'wait for lease', subject: 'node-2' });
  expect(lines).toEqual([expect.stringContaining(expected)]);
});
