import { randomBytes } from 'node:crypto';
import { open } from 'node:fs/promises';
import { nearestKey } from '../../config/index.ts';
import { readBounded, Secret, systemClock } from '../../core/index.ts';
import { createVerifiers, type ExplainedLogin, explainLogin } from '../../proxy/identity/index.ts';
import type { StateStore } from '../../state/index.ts';
import { createLogger } from '../../telemetry/index.ts';
import { CommandError, EXIT, UsageError } from '../errors.ts';
import { loadProxyConfig } from '../proxy-config.ts';
import { columns, paint, type Terminal } from '../terminal.ts';

export interface VerifyRequest {
  /** `-` for standard input. */
  readonly file: string;
  readonly configFile: string;
  readonly verifier: string;
  readonly username: string | undefined;
  readonly json: boolean;
}

const LIMIT_BYTES = 64 * 1024;
const TIME_LIMIT_MS = 15_000;

/** Every record is new to it, and none is kept: a machine is not bound by being looked at. */
const FORGETFUL_STATE: StateStore = {
  get: async () => undefined,
  insert: async () => true,
  replace: async () => true,
  delete: async () => false,
  close: async () => undefined,
};

/** Prints what a verifier says of a credential, and sets the exit code by it. */
export async function runVerify(request: VerifyRequest, terminal: Terminal): Promise<void> {
  const { value } = await loadProxyConfig(request.configFile, terminal.env);
  const { authentication } = value;
  const options = authentication.verifiers.find(({ name }) => name === request.verifier);
  if (!options)
    throw unknownVerifier(
      request.verifier,
      authentication.verifiers.map(({ name }) => name),
    );
  const password = new Secret((await readInput(request.file)).trim());
  const [verifier] = createVerifiers(
    { ...authentication, verifiers: [options] },
    {
      clock: systemClock,
      log: createLogger('silent'),
      state: FORGETFUL_STATE,
      secretKeys: () => [randomBytes(32)],
    },
  );
  if (!verifier) throw new CommandError('the verifier could not be made');
  try {
    const username = request.username ?? verifier.username ?? 'identity';
    const signal = AbortSignal.timeout(TIME_LIMIT_MS);
    const login = await explainLogin(
      options,
      verifier,
      { username, password },
      { clock: systemClock, signal },
    );
    terminal.print(request.json ? JSON.stringify(publicPart(login), null, 2) : text(login, terminal));
    terminal.setExitCode(login.outcome.type === 'identity' ? EXIT.ok : EXIT.failed);
  } finally {
    await verifier.close();
  }
}

function text({ steps, outcome }: ExplainedLogin, terminal: Terminal): string {
  const colours = { yes: 'green', no: 'red', 'cannot-tell': 'red' } as const;
  const rows = columns(steps.map(({ step, result, detail }) => [step, result, detail]));
  const lines = rows.map((line, index) => {
    const result = steps[index]?.result ?? 'no';
    return result === 'yes' ? line : paint(terminal, colours[result], line);
  });
  const claims = outcome.type === 'identity' ? Object.entries(outcome.identity.claims) : [];
  const claimRows = columns(claims.map(([name, claim]) => ['  ', name, JSON.stringify(claim)]));
  return [...lines, ...claimRows].join('\n');
}

/** Without the anchor and the cause, which are nobody's business. */
function publicPart({ steps, outcome }: ExplainedLogin): object {
  return outcome.type === 'identity'
    ? { steps, outcome: outcome.type, identity: outcome.identity }
    : { steps, outcome: outcome.type, reason: outcome.reason };
}

async function readInput(file: string): Promise<string> {
  try {
    if (file === '-') return (await readBounded(process.stdin, LIMIT_BYTES)).toString('utf8');
    const handle = await open(file);
    try {
      return (await readBounded(handle.createReadStream({ autoClose: false }), LIMIT_BYTES)).toString('utf8');
    } finally {
      await handle.close();
    }
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new CommandError(`${file} can't be read: ${why}`, EXIT.usage, { cause });
  }
}

function unknownVerifier(name: string, known: readonly string[]): UsageError {
  const nearest = nearestKey(name, known);
  const advice = nearest === undefined ? `known: ${known.join(', ') || 'none'}` : `did you mean ${nearest}?`;
  return new UsageError(`there is no verifier ${name}; ${advice}`);
}
