import { systemClock } from '../../core/index.ts';
import { EXIT, UsageError } from '../errors.ts';
import { loadProxyConfig } from '../proxy-config.ts';
import { type Colour, paint, type Terminal } from '../terminal.ts';
import type { Status } from './check.ts';
import { diagnose } from './diagnose.ts';
import type { Result } from './run-checks.ts';

export interface DoctorOptions {
  readonly upstream?: string;
  readonly json: boolean;
}

const COLOURS: Readonly<Record<Status, Colour>> = {
  ok: 'green',
  warn: 'yellow',
  fail: 'red',
  skipped: 'dim',
};
const STATUS_WIDTH = 7;
const CHECK_WIDTH = 15;

/**
 * Prints a line for each thing that was looked at: on a terminal as soon as it is known, in a pipe all at the end.
 * @throws {ConfigError | UsageError}
 */
export async function runDoctor(
  file: string,
  { upstream, json }: DoctorOptions,
  terminal: Terminal,
): Promise<void> {
  const { value: options } = await loadProxyConfig(file, terminal.env);
  const names = Object.keys(options.upstreams);
  if (upstream !== undefined && !names.includes(upstream)) {
    throw new UsageError(`there is no upstream ${upstream} in ${file}; known: ${names.join(', ') || 'none'}`);
  }
  const width = Math.max(...['server', ...names].map(({ length }) => length));
  const results: Result[] = [];
  const lines: string[] = [];
  const isLive = terminal.isInteractive && !json;
  for await (const result of diagnose({ options, upstream, clock: systemClock })) {
    results.push(result);
    const line = lineOf(result, width, terminal);
    if (isLive) terminal.print(line);
    else lines.push(line);
  }
  const failed = results.some(({ status }) => status === 'fail');
  if (json) terminal.print(JSON.stringify({ file, healthy: !failed, results }, null, 2));
  else terminal.print([...lines, summary(results)].join('\n'));
  terminal.setExitCode(failed ? EXIT.failed : EXIT.ok);
}

function lineOf(
  { status, subject, check, message, next }: Result,
  width: number,
  terminal: Terminal,
): string {
  const place = `${subject.padEnd(width)}  ${check.padEnd(CHECK_WIDTH)}`;
  const text = next === undefined ? message : `${message}; ${next}`;
  return `${paint(terminal, COLOURS[status], status.padEnd(STATUS_WIDTH))}  ${place}  ${text}`;
}

function summary(results: readonly Result[]): string {
  const count = (wanted: Status): number => results.filter(({ status }) => status === wanted).length;
  return `${count('ok')} ok, ${count('warn')} to look at, ${count('fail')} failed, ${count('skipped')} skipped`;
}
