import { EXIT } from '../errors.ts';
import { columns, paint, type Terminal } from '../terminal.ts';
import { AWS_PROBES } from './aws-probes.ts';
import { CLOUD_PROBES } from './cloud-probes.ts';
import { type ProbeResult, runProbes } from './probe.ts';
import { tokenProbes } from './token-probes.ts';

export interface ShowRequest {
  readonly audience: string;
  readonly tokenFiles: readonly string[];
  readonly json: boolean;
}

/** Prints what this machine can prove, and sets the exit code by it. */
export async function runShow(
  { audience, tokenFiles, json }: ShowRequest,
  terminal: Terminal,
): Promise<void> {
  const { env } = terminal;
  const results = await runProbes([...AWS_PROBES, ...CLOUD_PROBES, ...tokenProbes(tokenFiles, env)], {
    env,
    audience,
  });
  terminal.print(
    json ? JSON.stringify(results, null, 2) : results.map((result) => text(result, terminal)).join('\n'),
  );
  terminal.setExitCode(results.some(({ found }) => found) ? EXIT.ok : EXIT.failed);
}

function text(result: ProbeResult, terminal: Terminal): string {
  const title = `${result.verifier}: ${result.source}`;
  if (!result.found) return `${paint(terminal, 'dim', 'no ')}  ${title}: ${result.reason}`;
  const rows = flatten(result.claims, '').map(([name, value]) => ['     ', name, value]);
  return [`${paint(terminal, 'green', 'yes')}  ${title}`, ...columns(rows)].join('\n');
}

function flatten(value: object, prefix: string): [string, string][] {
  return Object.entries(value).flatMap(([key, entry]): [string, string][] => {
    const name = `${prefix}${key}`;
    const isNested = typeof entry === 'object' && entry !== null && !Array.isArray(entry);
    return isNested ? flatten(entry as object, `${name}.`) : [[name, printable(entry)]];
  });
}

function printable(value: unknown): string {
  const words = Array.isArray(value) ? value.join(', ') : String(value);
  return words.replace(/\p{Cc}+/gu, ' ');
}
