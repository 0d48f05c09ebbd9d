import type { Step } from '../../kubelet/setup/index.ts';
import { paint, type Terminal } from '../terminal.ts';

/** Tells what is being done: to somebody who looks, or to a program that asked for JSON; else nothing. */
export function stepReporter(terminal: Terminal, json: boolean): (step: Step) => void {
  return ({ name, subject }) => {
    if (json) terminal.print(JSON.stringify({ event: 'step', name, subject }));
    else if (terminal.isInteractive) terminal.print(`${paint(terminal, 'dim', '·')} ${name}: ${subject}`);
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
