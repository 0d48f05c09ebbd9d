import { execFile } from 'node:child_process';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { systemClock } from '../../../../src/core/index.ts';
import { ownFolder } from '../../../support/own-folder.ts';
import { startFake } from '../support/http-fake.ts';
import { createIssuer, createIssuerKey } from '../support/issuer.ts';
import { jwtVerifierOf } from './support.ts';

const run = promisify(execFile);
const FOLDER = 'examples/ci';

interface ProxyFile {
  readonly authentication: {
    readonly verifiers: readonly { readonly name: string; readonly audience: string }[];
  };
}

async function readYaml<T>(name: string): Promise<T> {
  return parse(await readFile(join(FOLDER, name), 'utf8')) as T;
}

async function verifierNamed(name: string) {
  const { authentication } = await readYaml<ProxyFile>('drp.yaml');
  const found = authentication.verifiers.find((verifier) => verifier.name === name);
  if (!found) throw new Error(`examples/ci/drp.yaml has no verifier ${name}`);
  return found;
}

/** Runs a script with a docker that only writes down what it is told. */
async function runWithDocker(script: string, environment: Readonly<Record<string, string>>) {
  const folder = await ownFolder();
  const docker = `#!/bin/sh\necho "$@" >> ${folder}/arguments\n[ "$1" = login ] && cat > ${folder}/password || true\n`;
  await writeFile(join(folder, 'docker'), docker);
  await chmod(join(folder, 'docker'), 0o700);
  const env = { PATH: `${folder}${delimiter}${process.env.PATH}`, ...environment };
  const read = (name: string) => readFile(join(folder, name), 'utf8').catch(() => '');
  let failed = false;
  await run('bash', ['--noprofile', '--norc', '-eo', 'pipefail', '-c', script], { env }).catch(() => {
    failed = true;
  });
  return { failed, calls: (await read('arguments')).trim().split('\n'), password: await read('password') };
}

describe('the GitHub Actions example', () => {
  interface Workflow {
    readonly permissions: Readonly<Record<string, string>>;
    readonly jobs: {
      readonly build: {
        readonly env: Readonly<Record<string, string>>;
        readonly steps: readonly { readonly run: string; readonly shell?: string }[];
      };
    };
  }

  async function firstStep(answer: (path: string) => { status: number; body?: unknown }) {
    const workflow = await readYaml<Workflow>('github-actions.yml');
    const { env, steps } = workflow.jobs.build;
    const service = await startFake(({ path, headers }) =>
      headers.authorization === 'Bearer request-token' ? answer(path) : { status: 401 },
    );
    const outcome = await runWithDocker(steps[0]?.run ?? '', {
      ...env,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'request-token',
      ACTIONS_ID_TOKEN_REQUEST_URL: `${service.url}/token?api-version=2.0`,
    });
    return { workflow, outcome, service };
  }

  it('logs in with the token of its run, made for the audience of the proxy', async () => {
    const issuer = await createIssuer(await createIssuerKey('RS256', 'one'), systemClock);
    const { audience } = await verifierNamed('github');
    const audienceOf = (path: string) => new URL(path, 'http://github').searchParams.get('audience');
    const token = await issuer.sign({ aud: audience });
    const { outcome, workflow, service } = await firstStep(() => ({ status: 200, body: { value: token } }));
    expect(outcome.failed).toBe(false);
    expect(service.received.map(({ path }) => audienceOf(path))).toEqual([audience]);
    expect(outcome.calls).toEqual([`login --username github --password-stdin ${audience}`]);
    expect(workflow.permissions['id-token']).toBe('write');
    const { verify } = jwtVerifierOf({ issuer: issuer.url, audience }, systemClock);
    expect(await verify(outcome.password.trim())).toMatchObject({ type: 'identity' });
  });

  it('stops when there is no token', async () => {
    for (const answer of [{ status: 403 }, { status: 200, body: {} }]) {
      expect((await firstStep(() => answer)).outcome.failed).toBe(true);
    }
  });
});

describe('the GitLab CI example', () => {
  it('asks for a token for the audience of the proxy, and logs in with it', async () => {
    interface Pipeline {
      readonly deploy: {
        readonly id_tokens: { readonly REGISTRY_TOKEN: { readonly aud: string } };
        readonly variables: Readonly<Record<string, string>>;
        readonly script: readonly string[];
      };
    }
    const { deploy } = await readYaml<Pipeline>('gitlab-ci.yml');
    const { audience } = await verifierNamed('gitlab');
    expect(deploy.id_tokens.REGISTRY_TOKEN.aud).toBe(audience);
    const environment = { ...deploy.variables, REGISTRY_TOKEN: 'the-token' };
    const { calls, password, failed } = await runWithDocker(deploy.script.join('\n'), environment);
    expect([failed, password]).toEqual([false, 'the-token']);
    expect(calls).toEqual([
      `login --username gitlab --password-stdin ${audience}`,
      `pull ${audience}/web/server:2.1`,
    ]);
  });
});
