import { once } from 'node:events';
import type { Clock } from '../../core/index.ts';
import { choosePort, tryPort } from './choose-port.ts';
import { ALLOWED_REPOSITORY, createDemoSite, type DemoSite, FORBIDDEN_REPOSITORY } from './demo-site.ts';
import { ARCHITECTURES } from './hello-executable.ts';
import { nextSteps } from './next-steps.ts';
import { type PullRequest, type PullStep, pullImage } from './pull.ts';
import { RefusedError } from './registry-client.ts';
import { type Attempt, createTextReport, type DemoOutput, type Report, silentReport } from './report.ts';
import type { DemoProxy } from './start-demo-proxy.ts';

export interface DemoOptions {
  /** Undefined: the usual one of a registry when it is free, else any. 0: any. */
  readonly port: number | undefined;
  /** End after the pulls instead of staying up. */
  readonly once: boolean;
  /** One JSON object instead of lines. */
  readonly json: boolean;
  /** How this program is called, for the commands to try next. */
  readonly program: string;
}

export interface DemoDependencies {
  readonly startProxy: (configFile: string, logFile: string) => Promise<DemoProxy>;
  readonly fetch: typeof globalThis.fetch;
  readonly clock: Clock;
  readonly output: DemoOutput;
  /** Aborted when the demo has to end. */
  readonly signal: AbortSignal;
  /** Of this machine, in the words of OCI images. */
  readonly architecture: string;
}

/** The demo can't be shown; the message is one line and says what to do. */
export class DemoError extends Error {
  constructor(message: string, options: { readonly cause?: unknown } = {}) {
    super(message, options);
    this.name = 'DemoError';
  }
}

/**
 * Starts a proxy over a sample image and pulls through it three times: with a login, without one, and what no rule
 * allows. Then it stays up until the signal. Whatever happens, nothing is left behind.
 * @returns whether all three came as they had to
 * @throws {DemoError} when it can't start
 */
export async function runDemo(options: DemoOptions, dependencies: DemoDependencies): Promise<boolean> {
  const { startProxy, output, signal } = dependencies;
  const report = options.json ? silentReport : createTextReport(output);
  const site = await createDemoSite(await portFor(options.port));
  try {
    const proxy = await startProxy(site.configFile, site.logFile).catch((error: unknown) => {
      throw new DemoError(`the proxy can't start: ${messageOf(error)}`, { cause: error });
    });
    try {
      return await show(site, proxy, report, options, dependencies);
    } catch (error) {
      if (!signal.aborted) throw error;
      report.next('\nended before it was through\n');
      return false;
    } finally {
      await proxy.close();
    }
  } finally {
    await site.close();
  }
}

async function show(
  site: DemoSite,
  proxy: DemoProxy,
  report: Report,
  options: DemoOptions,
  dependencies: DemoDependencies,
): Promise<boolean> {
  const { output, signal, architecture } = dependencies;
  report.started(proxy.url, site.configFile);

  const tag = 'latest';
  const known = ARCHITECTURES.some((name) => name === architecture);
  const base = {
    url: proxy.url,
    repository: ALLOWED_REPOSITORY,
    tag,
    architecture: known ? architecture : 'amd64',
  };
  const login = { username: site.username, password: site.password };
  const attempt = (title: string, request: PullRequest) => tryPull(title, request, report, dependencies);

  const allowed = await attempt(`${base.repository}:${tag}, with a login`, { ...base, login });
  report.ended(allowed, allowed.outcome === 'pulled');
  const withoutLogin = await attempt(`${base.repository}:${tag}, without a login`, {
    ...base,
    login: undefined,
  });
  report.ended(withoutLogin, isRefusal(withoutLogin));
  const forbidden = { ...base, login, repository: FORBIDDEN_REPOSITORY };
  const withoutRule = await attempt(`${forbidden.repository}:${tag}, which no rule allows`, forbidden);
  report.ended(withoutRule, isRefusal(withoutRule));
  const good = allowed.outcome === 'pulled' && isRefusal(withoutLogin) && isRefusal(withoutRule);

  if (options.json) {
    const { url, adminUrl } = proxy;
    const { configFile, logFile, username } = site;
    const attempts = { allowed, withoutLogin, withoutRule };
    const result = {
      good,
      url,
      adminUrl,
      configFile,
      logFile,
      username,
      password: site.password.reveal(),
      attempts,
    };
    output.write(`${JSON.stringify(result)}\n`);
  }
  if (!options.once && good) {
    report.next(nextSteps(site, proxy, options.program));
    if (!signal.aborted) await once(signal, 'abort');
  }
  return good;
}

async function tryPull(
  title: string,
  request: PullRequest,
  report: Report,
  dependencies: DemoDependencies,
): Promise<Attempt> {
  report.attempt(title);
  const steps: PullStep[] = [];
  const onStep = (step: PullStep): void => {
    steps.push(step);
    report.step(step);
  };
  try {
    return { outcome: 'pulled', image: await pullImage(request, { ...dependencies, onStep }), steps };
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error;
    return { outcome: 'refused', status: error.status, code: error.code, steps };
  }
}

/** A client that lacks a login, or whose token lacks the scope, hears 401; a rule that says no, 403. */
function isRefusal(attempt: Attempt): boolean {
  return attempt.outcome === 'refused' && (attempt.status === 401 || attempt.status === 403);
}

async function portFor(wanted: number | undefined): Promise<number> {
  if (wanted === undefined) return choosePort();
  return tryPort(wanted).catch((error: unknown) => {
    throw new DemoError(
      `port ${wanted} can't be had (${messageOf(error)}): take another, or leave --port out`,
    );
  });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
