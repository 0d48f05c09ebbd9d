import type { Step } from '../../kubelet/setup/index.ts';
import { paint, type Terminal } from '../terminal.ts';

/** Tells what is being done, so that the log of a pod shows it too. */
export function stepReporter(terminal: Terminal, json: boolean): (step: Step) => void {
  return ({ name, subject }) => {
    if (json) terminal.print(JSON.stringify({ event: 'step', name, subject }));
    else terminal.print(`${paint(terminal, 'dim', '·')} ${name}: ${subject}`);
  };
}

/** The last line. */
export function printResult(
  terminal: Terminal,
  json: boolean,
  result: Readonly<Record<string, unknown>>,
  text: string,
): void {
  terminal.print(json ? JSON.stringify({ event: 'result', ...result }) : text);
}
