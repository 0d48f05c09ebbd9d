import { beforeAll, describe, expect, it } from 'vitest';
import { type Slapd, startSlapd } from '../../../servers/index.ts';
import { useResources } from '../../../support/resources.ts';
import { basic, createSite, type RunningProxy, runProxy, withToken } from '../../support/running-proxy.ts';
import { ENTRIES, GROUPS, PASSWORD, PEOPLE, SERVICE_PASSWORD, searching } from './directory.ts';

const keep = useResources();
let slapd: Slapd;
let running: RunningProxy;

beforeAll(async () => {
  slapd = keep(await startSlapd({ entries: ENTRIES }));
  const site = await createSite();
  keep({ close: () => site.remove() });
  const options = await site.options({
    authentication: {
      verifiers: [{ name: 'staff', type: 'ldap', ...searching([slapd.port], { groups: { base: GROUPS } }) }],
    },
    authorization: {
      rules: [
        { name: 'platform', when: '"platform" in identity.groups', repositories: ['**'], actions: ['pull'] },
      ],
    },
  });
  running = await runProxy(options);
  keep({ close: () => running.proxy.close() });
});

const ask = (username: string, password: string, query: string) =>
  fetch(`${running.url}/token?service=${running.service}&${query}`, { headers: basic(username, password) });

async function manifestStatus(token: string): Promise<number> {
  const answer = await fetch(`${running.url}/v2/hello/manifests/latest`, { headers: withToken(token) });
  await answer.arrayBuffer();
  return answer.status;
}

async function refresh(refreshToken: string): Promise<Response> {
  const form = { grant_type: 'refresh_token', refresh_token: refreshToken, service: running.service };
  const scope = { scope: 'repository:hello:pull', client_id: 'docker' };
  return fetch(`${running.url}/token`, { method: 'POST', body: new URLSearchParams({ ...form, ...scope }) });
}

describe('docker login with a directory behind the proxy', () => {
  it('lets those pull who are in the group, and others not', async () => {
    const statusFor = async (name: string) => {
      const answer = await ask(name, PASSWORD, 'scope=repository:hello:pull');
      expect(answer.status).toBe(200);
      const { token } = (await answer.json()) as { token: string };
      return manifestStatus(token);
    };
    expect(await statusFor('anna')).toBe(200);
    expect(await statusFor('ben')).toBe(403);
  });

  it.each([
    ['anna', 'wrong'],
    ['anna', ''],
    ['nobody', PASSWORD],
    ['*', PASSWORD],
  ])('refuses %s with the password %j', async (username, password) => {
    const answer = await ask(username, password, 'scope=repository:hello:pull');
    expect(answer.status).toBe(401);
  });

  it('keeps the stored login until the user is gone', async () => {
    const dn = `uid=carla,${PEOPLE}`;
    await slapd.administer(async (client) => {
      await client.add(dn, {
        objectClass: 'inetOrgPerson',
        uid: 'carla',
        cn: 'carla',
        sn: 'carla',
        userPassword: PASSWORD,
      });
      await client.add(`ou=more,${GROUPS}`, { objectClass: 'organizationalUnit', ou: 'more' });
      await client.add(`cn=platform,ou=more,${GROUPS}`, { objectClass: 'groupOfNames', member: dn });
    });
    const login = await ask('carla', PASSWORD, 'offline_token=true&client_id=docker');
    const { refresh_token = '' } = (await login.json()) as { refresh_token?: string };
    const renewed = await refresh(refresh_token);
    expect(renewed.status).toBe(200);
    const { access_token } = (await renewed.json()) as { access_token: string };
    expect(await manifestStatus(access_token)).toBe(200);
    await slapd.administer((client) => client.del(dn));
    expect((await refresh(refresh_token)).status).toBe(401);
  });

  it('asks to come back while the directory is away', async () => {
    await slapd.kill();
    expect((await ask('anna', PASSWORD, 'scope=repository:hello:pull')).status).toBe(503);
    await slapd.start();
    expect((await ask('anna', PASSWORD, 'scope=repository:hello:pull')).status).toBe(200);
  });

  it('writes no password into its log', () => {
    expect(running.logged()).toContain('anna');
    expect(running.logged()).not.toContain(PASSWORD);
    expect(running.logged()).not.toContain(SERVICE_PASSWORD);
  });
});
