import { Command, InvalidArgumentError } from 'commander';
import { systemClock } from '../core/index.ts';
import type { DemoOptions } from './demo/run-demo.ts';

const EXIT_NOT_AS_EXPECTED = 1;
const EXIT_CANNOT_START = 2;

/** `drp demo` */
export function demoCommand(): Command {
  return new Command('demo')
    .description('start a proxy over a sample image, pull through it, and stay up for you to try')
    .option('--port <number>', 'port to listen on (default: 5000 when it is free, else any)', parsePort)
    .option('--once', 'end after the pulls', false)
    .option('--json', 'print the result as one JSON object', false)
    .addHelpText(
      'after',
      `
Everything lies in a temporary folder, which is removed at the end. Listens on 127.0.0.1 only.

Exit codes: 0 all went as it should, ${EXIT_NOT_AS_EXPECTED} a pull did not, ${EXIT_CANNOT_START} the demo can't start

Example:
  drp demo --port 5001`,
    )
    .action(demo);
}

async function demo({ port, once, json }: { port?: number; once: boolean; json: boolean }): Promise<void> {
  const stop = new AbortController();
  const onSignal = (): void => stop.abort();
  // Each of them: a second one must not end the program before its files are removed.
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  const options: DemoOptions = { port, once, json, program: programName() };
  const { DemoError, runDemo } = await import('./demo/run-demo.ts');
  try {
    const good = await runDemo(options, {
      startProxy: async (...files) => (await import('./demo/start-demo-proxy.ts')).startDemoProxy(...files),
      fetch: globalThis.fetch,
      clock: systemClock,
      output: {
        write: (text) => void process.stdout.write(text),
        isTerminal: process.stdout.isTTY === true && process.env.NO_COLOR === undefined,
      },
      signal: stop.signal,
      architecture: process.arch === 'x64' ? 'amd64' : process.arch,
    });
    if (!good) process.exitCode = EXIT_NOT_AS_EXPECTED;
  } catch (error) {
    process.stderr.write(`drp demo: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = error instanceof DemoError ? EXIT_CANNOT_START : EXIT_NOT_AS_EXPECTED;
  } finally {
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
  }
}

function parsePort(text: string): number {
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port > 65_535) throw new InvalidArgumentError('expected 0 to 65535.');
  return port;
}

/** `drp`, or the script when it was started by its path. */
function programName(): string {
  const script = process.argv[1] ?? '';
  return script.endsWith('.js') ? `node ${script}` : 'drp';
}
