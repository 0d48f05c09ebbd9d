import { spawn } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Dockerd, startDockerd } from '../servers/index.ts';
import { CLIENT_ID, CLIENT_SECRET, type OidcProvider, startOidcProvider } from '../servers/oidc-provider.ts';
import { startBrowser } from '../support/browser.ts';
import { type PushedImage, pushImage } from '../support/images.ts';
import { type RunningProxy, startProxy } from '../support/proxy.ts';
import { useResources } from '../support/resources.ts';
import { createTemporaryFolder } from '../support/temporary-folder.ts';
import { waitFor } from '../support/wait.ts';
import { createDockerClient, type DockerClient } from './clients.ts';
import { expectFailure, expectSuccess } from './expectations.ts';
import { SITE_FILES, siteConfiguration, startPrivateRegistry } from './site.ts';

const REFUSED = /denied|unauthorized|not found/i;

describe('people who sign in with a browser', () => {
  const keep = useResources();
  let provider: OidcProvider;
  let proxy: RunningProxy;
  let engine: Dockerd;
  let image: PushedImage;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  /** What the browser complained of: a policy that was broken, for one. */
  let complaints: string[];

  beforeAll(async () => {
    provider = keep(
      await startOidcProvider({
        'sub-anna': { name: 'anna', groups: ['platform'] },
        'sub-ben': { name: 'ben', groups: [] },
        'sub-carla': { name: 'carla', groups: ['platform'] },
      }),
    );
    const registry = keep(await startPrivateRegistry());
    image = await pushImage(registry, 'acme/team/app', 'v1');
    proxy = keep(await startProxy(configuration(registry), { files: SITE_FILES }));
    provider.register(`${proxy.url}/login/callback`);
    engine = keep(await startDockerd());
    browser = keep(await startBrowser());
  });
  beforeEach(async () => {
    context = await browser.newContext({ javaScriptEnabled: false });
    page = await context.newPage();
    complaints = [];
    page.on('console', (message) => complaints.push(message.text()));
  });
  afterEach(async () => {
    await context.close();
    // The browser asks for an icon by itself, and this server has none.
    expect(complaints.filter((text) => !/favicon|status of 404/.test(text))).toEqual([]);
  });

  function configuration(registry: { readonly url: string }) {
    return {
      ...siteConfiguration(registry),
      authentication: {
        verifiers: [
          {
            name: 'staff',
            type: 'oidc',
            title: 'Acme',
            issuer: provider.issuer,
            clientId: CLIENT_ID,
            clientSecret: CLIENT_SECRET,
            authorizationParameters: { prompt: 'consent' },
            // Asked at each login, so that a test need not wait.
            groupsRefresh: '0s',
          },
        ],
      },
      authorization: {
        rules: [
          {
            name: 'platform',
            when: '"platform" in identity.groups',
            repositories: ['team/**'],
            actions: ['pull'],
          },
        ],
      },
    };
  }

  async function signIn(subject: string, path = '/'): Promise<void> {
    await page.goto(`${proxy.url}${path}`);
    await page.getByRole('link', { name: 'Sign in with Acme' }).click();
    await page.getByLabel('Subject').fill(subject);
    await page.getByRole('button', { name: 'Sign in' }).click();
  }

  async function makeToken(name: string): Promise<string> {
    await page.getByLabel('Name').fill(name);
    await page.getByLabel('Good for').selectOption('7 days');
    await page.getByRole('button', { name: 'Make token' }).click();
    const token = (await page.locator('pre').first().textContent()) ?? '';
    expect(token).toMatch(/^drp_[0-9a-f]{16}_[0-9a-f]{64}$/);
    return token;
  }

  async function expectPull(client: DockerClient): Promise<void> {
    expectSuccess(await client.pull(`${proxy.host}/team/app:v1`));
    expect(await client.digests(`${proxy.host}/team/app:v1`)).toContain(image.digest);
  }

  it('make a token, log in to docker with it and pull; revoked, it is refused', async () => {
    await signIn('sub-anna');
    const token = await makeToken('laptop');
    const command = `docker login ${proxy.host} -u anna --password-stdin`;
    expect(await page.locator('pre').nth(1).textContent()).toBe(command);

    const docker = keep(await createDockerClient(engine));
    expectSuccess(await docker.login(proxy.host, { username: 'anna', password: token }));
    expect((await docker.storedLogin(proxy.host))?.identitytoken).toMatch(/^drp_rt_/);
    await expectPull(docker);

    await page.getByRole('link', { name: 'Back to your tokens' }).click();
    expect(await page.getByRole('row', { name: /laptop/ }).textContent()).not.toContain('never');
    await page.getByRole('button', { name: 'Revoke the token laptop' }).click();
    expect(await page.getByRole('status').textContent()).toContain('The token is revoked.');
    expectFailure(await docker.pull(`${proxy.host}/team/app:v1`), REFUSED);
    expectFailure(await docker.login(proxy.host, { username: 'anna', password: token }), /unauthorized|401/i);
  });

  it('pull no more once the provider says that they are gone, or in other groups', async () => {
    await signIn('sub-carla');
    const token = await makeToken('laptop');
    const docker = keep(await createDockerClient(engine));
    expectSuccess(await docker.login(proxy.host, { username: 'carla', password: token }));
    await expectPull(docker);
    provider.accounts.set('sub-carla', { name: 'carla', groups: [] });
    expectFailure(await docker.pull(`${proxy.host}/team/app:v1`), REFUSED);
    provider.accounts.set('sub-carla', { name: 'carla', groups: ['platform'] });
    await expectPull(docker);
    provider.accounts.delete('sub-carla');
    expectFailure(await docker.pull(`${proxy.host}/team/app:v1`), REFUSED);
    provider.accounts.set('sub-carla', { name: 'carla', groups: ['platform'] });
    expectFailure(await docker.pull(`${proxy.host}/team/app:v1`), REFUSED);
  });

  it('go on pulling while the provider is down', async () => {
    await signIn('sub-anna');
    const token = await makeToken('while down');
    const docker = keep(await createDockerClient(engine));
    expectSuccess(await docker.login(proxy.host, { username: 'anna', password: token }));
    provider.setDown(true);
    try {
      await expectPull(docker);
    } finally {
      provider.setDown(false);
    }
  });

  it('log a terminal in with drp login, through the credential helper', async () => {
    const folder = keep(await createTemporaryFolder('terminal'));
    const programs = join(folder.path, 'bin');
    await mkdir(programs);
    const helper = join(programs, 'docker-credential-drp');
    await writeFile(
      helper,
      `#!/bin/sh\nexec ${process.execPath} ${resolve('dist/cli/credential-helper.js')} "$@"\n`,
      { mode: 0o755 },
    );
    const docker = keep(await createDockerClient(engine));
    const dockerFolder = join(docker.home, '.docker');
    await mkdir(dockerFolder);
    await writeFile(join(dockerFolder, 'config.json'), '{"credsStore": "drp"}');
    const environment = { PATH: `${programs}:${process.env.PATH}`, HOME: docker.home };

    const login = spawn(process.execPath, [resolve('dist/cli/main.js'), 'login', proxy.host], {
      env: environment,
    });
    let printed = '';
    login.stdout.on('data', (chunk: Buffer) => {
      printed += chunk.toString();
    });
    login.stderr.on('data', (chunk: Buffer) => {
      printed += chunk.toString();
    });
    const ended = new Promise<number | null>((done) => login.on('close', done));
    const address = await waitFor('the address', () => /Open (\S+)/.exec(printed)?.[1]);
    await signIn('sub-anna', new URL(address).pathname + new URL(address).search);
    await page.getByRole('button', { name: 'Continue' }).click();
    const code = /code ([A-Z-]{9})/.exec(printed)?.[1] ?? '-';
    expect(await page.getByRole('definition').first().textContent()).toBe(code);
    await page.getByRole('button', { name: 'Let it in' }).click();
    await page.getByRole('heading', { level: 1, name: 'The terminal is logged in', exact: true }).waitFor();
    expect(await ended, printed).toBe(0);
    expect(printed).toContain(
      `Logged in to ${proxy.host} as anna. The token is kept in the credential helper drp.`,
    );
    expect(await readFile(join(dockerFolder, 'config.json'), 'utf8')).not.toMatch(/drp_|auth"/);

    const path = process.env.PATH;
    process.env.PATH = environment.PATH;
    try {
      await expectPull(docker);
    } finally {
      process.env.PATH = path;
    }
  });

  it('work without a mouse', async () => {
    await page.goto(`${proxy.url}/login`);
    await page.keyboard.press('Tab');
    expect(await page.locator(':focus').textContent()).toBe('Skip to the content');
    await page.keyboard.press('Tab');
    expect(await page.locator(':focus').textContent()).toBe('Sign in with Acme');
    await page.keyboard.press('Enter');
    await page.getByLabel('Subject').fill('sub-anna');
    await page.keyboard.press('Enter');
    await page.getByLabel('Name').focus();
    await page.keyboard.type('by keyboard');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: 'Your new token', exact: true }).waitFor();
  });

  it('are not used by pages of other sites', async () => {
    await signIn('sub-ben');
    const before = await page.getByRole('row').count();
    const attacker = createServer((_, response) => {
      response.setHeader('content-type', 'text/html');
      response.end(
        `<form method="post" action="${proxy.url}/account/tokens"><input name="name" value="evil"><input name="days" value="30"><button>Win</button></form>`,
      );
    });
    await new Promise<void>((done) => attacker.listen(0, '127.0.0.1', done));
    // Another site is another host name: ports do not count.
    await page.goto(`http://localhost:${(attacker.address() as AddressInfo).port}`);
    await page.getByRole('button', { name: 'Win' }).click();
    await page.getByRole('heading', { level: 1, name: 'Sign in', exact: true }).waitFor();
    attacker.close();
    await page.goto(`${proxy.url}/account`);
    expect(await page.getByRole('row').count()).toBe(before);
  });
});
