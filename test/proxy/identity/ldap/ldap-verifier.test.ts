import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Outcome, Verifier } from '../../../../src/proxy/identity/index.ts';
import { type Slapd, SUFFIX, startSlapd } from '../../../servers/index.ts';
import { useResources } from '../../../support/resources.ts';
import { describeVerifier } from '../verifier-suite.ts';
import {
  createVerifier,
  direct,
  ENTRIES,
  freshName,
  GROUPS,
  type LdapInput,
  ODD_NAMES,
  PASSWORD,
  PEOPLE,
  SERVICE_PASSWORD,
  searching,
  verify,
} from './directory.ts';

const keep = useResources();
let slapd: Slapd;
const made: Verifier[] = [];

beforeAll(async () => {
  slapd = keep(await startSlapd({ entries: ENTRIES }));
});
afterEach(async () => {
  for (const verifier of made.splice(0)) await verifier.close();
});

function verifierOf(input: LdapInput): Verifier {
  const verifier = createVerifier(input);
  made.push(verifier);
  return verifier;
}

function renewal(verifier: Verifier, outcome: Outcome): Promise<Outcome> {
  if (outcome.type !== 'identity' || !verifier.renew) throw new Error(`nothing to renew: ${outcome.type}`);
  return verifier.renew(outcome.identity, outcome.anchor, new AbortController().signal);
}

const fixture = async (verifier: Verifier) => ({
  verifier,
  username: 'anna',
  password: PASSWORD,
  identityName: 'anna',
  unknownUsername: 'nobody',
});
describeVerifier('ldap by search and bind', () =>
  fixture(createVerifier(searching([slapd.port], { groups: { base: GROUPS } }))),
);
describeVerifier('ldap by direct bind', () => fixture(createVerifier(direct(slapd.port))));

describe('an LDAP login', () => {
  it.each([
    ['search', () => searching([slapd.port])],
    ['direct bind', () => direct(slapd.port)],
  ])('by %s has the name that the directory has, and the claims that are asked for', async (_, input) => {
    const attributes = { claims: { mail: 'MAIL', phones: 'telephoneNumber', room: 'roomNumber', dn: 'dn' } };
    const verifier = verifierOf({ ...input(), attributes });
    expect(await verify(verifier, 'ANNA')).toMatchObject({
      type: 'identity',
      identity: {
        verifier: 'staff',
        name: 'anna',
        groups: [],
        claims: { mail: 'anna@example.com', phones: ['1', '2'], dn: `uid=anna,${PEOPLE}` },
      },
    });
  });

  it('takes the naming value where the name has several', async () => {
    const verifier = verifierOf(searching([slapd.port]));
    expect(await verify(verifier, 'nick')).toMatchObject({ identity: { name: 'nickname' } });
    const byMail = verifierOf(searching([slapd.port], { attributes: { name: 'mail' } }));
    expect(await verify(byMail, 'ben')).toMatchObject({ type: 'refused' });
    const byRoom = verifierOf(searching([slapd.port], { attributes: { name: 'roomNumber' } }));
    expect(await verify(byRoom, 'anna')).toMatchObject({ type: 'refused' });
  });

  it.each(ODD_NAMES)('takes %j for the name of that user and of no other', async (name) => {
    for (const input of [searching([slapd.port]), direct(slapd.port)]) {
      const verifier = verifierOf(input);
      expect(await verify(verifier, name)).toMatchObject({ type: 'identity', identity: { name } });
      expect(await verify(verifier, `${name}x`)).toMatchObject({ type: 'refused' });
    }
  });

  it.each([
    '*',
    'ann*',
    'anna)(uid=ann*',
    'x)(|(uid=anna',
    'anna)(&',
    '(',
    ')',
    'anna\\',
    '\\61nna',
    'anna,ou=x',
  ])('finds nobody under %j', async (name) => {
    for (const input of [searching([slapd.port]), direct(slapd.port)]) {
      expect(await verify(verifierOf(input), name)).toMatchObject({ type: 'refused' });
    }
  });

  it('is refused for two entries, an alias, and a branch of another server', async () => {
    const verifier = verifierOf(searching([slapd.port]));
    expect(await verify(verifier, 'twin')).toMatchObject({
      type: 'refused',
      reason: expect.stringMatching(/more than one/),
    });
    expect(await verify(verifier, 'pointer')).toMatchObject({
      type: 'refused',
      reason: expect.stringMatching(/alias/),
    });
    const branch = verifierOf(searching([slapd.port], { search: { base: `ou=branch,${PEOPLE}` } }));
    expect(await verify(branch, 'anna')).toMatchObject({
      type: 'refused',
      reason: expect.stringMatching(/refers to another/),
    });
    const onlyPeople = verifierOf(searching([slapd.port], { search: { base: PEOPLE, scope: 'one' } }));
    expect(await verify(onlyPeople, 'twin')).toMatchObject({ type: 'identity' });
  });

  it('sends no bind for what can be no login', async () => {
    const name = freshName();
    await slapd.administer((client) =>
      client.add(`uid=${name},${PEOPLE}`, { objectClass: 'inetOrgPerson', uid: name, cn: name, sn: name }),
    );
    for (const input of [searching([slapd.port]), direct(slapd.port)]) {
      const verifier = verifierOf(input);
      const before = slapd.logs().length;
      for (const password of ['', '\0', `${PASSWORD}\0`, 'x'.repeat(2000), '\uD800']) {
        expect(await verify(verifier, name, password)).toMatchObject({ type: 'refused' });
      }
      for (const odd of ['', `${name}\0`, `${name}\n`, 'x'.repeat(257), `${name}\uDC00`, 'EXTERNAL\r']) {
        expect(await verify(verifier, odd)).toMatchObject({ type: 'refused' });
      }
      expect(slapd.logs().slice(before)).not.toMatch(/ACCEPT|BIND dn|SRCH base/);
      await verify(verifier, name, 'wrong');
      expect(slapd.logs().slice(before)).toContain(`BIND dn="uid=${name},${PEOPLE}"`);
    }
  });

  it('binds once for an unknown user too, without the password', async () => {
    const verifier = verifierOf(searching([slapd.port]));
    await verify(verifier, 'anna');
    const shapeOf = async (name: string) => {
      const before = slapd.logs().length;
      expect(await verify(verifier, name, 'wrong')).toMatchObject({ type: 'refused' });
      return slapd
        .logs()
        .slice(before)
        .match(/\b(BIND(?= dn)|SRCH(?= base))/g);
    };
    const known = await shapeOf('anna');
    expect(known).toEqual(['SRCH', 'BIND']);
    expect(await shapeOf('nobody')).toEqual(known);
    expect(await shapeOf('twin')).toEqual(known);
  });

  it('counts a new password at once', async () => {
    const name = freshName();
    const dn = `uid=${name},${PEOPLE}`;
    const entry = { objectClass: 'inetOrgPerson', uid: name, cn: name, sn: name, userPassword: 'first' };
    await slapd.administer((client) => client.add(dn, entry));
    const verifier = verifierOf(searching([slapd.port]));
    expect(await verify(verifier, name, 'first')).toMatchObject({ type: 'identity' });
    await slapd.administer(async (client) => {
      await client.del(dn);
      await client.add(dn, { ...entry, userPassword: 'second' });
    });
    expect(await verify(verifier, name, 'first')).toMatchObject({ type: 'refused' });
    expect(await verify(verifier, name, 'second')).toMatchObject({ type: 'identity' });
  });
});

describe('groups of an LDAP login', () => {
  const groupsOf = async (groups: LdapInput, name = 'anna', base = searching([slapd.port])) => {
    const outcome = await verify(verifierOf({ ...base, groups }), name);
    return outcome.type === 'identity' ? outcome.identity.groups : outcome.reason;
  };

  it('come from an attribute, those below the base only', async () => {
    const attribute = 'memberof';
    for (const base of [searching([slapd.port]), direct(slapd.port)]) {
      expect(await groupsOf({ base: GROUPS, attribute }, 'anna', base)).toEqual(['platform', 'team-a']);
      expect(await groupsOf({ base: GROUPS, attribute }, 'ben', base)).toEqual([]);
    }
    expect(await groupsOf({ base: SUFFIX, attribute, name: 'dn' }, 'ben')).toEqual([
      `cn=platform,ou=elsewhere,${SUFFIX}`,
    ]);
  });

  it('come from a search, by the name of the entry or of the user', async () => {
    for (const base of [searching([slapd.port]), direct(slapd.port)]) {
      expect(await groupsOf({ base: GROUPS }, 'anna', base)).toEqual(['platform', 'team-a']);
    }
    expect(await groupsOf({ base: GROUPS }, 'ben')).toEqual([]);
    expect(await groupsOf({ base: GROUPS }, '*)(uid=*')).toEqual(['odd']);
    expect(await groupsOf({ base: GROUPS }, 'a,b=c')).toEqual(['odd']);
    expect(await groupsOf({ base: GROUPS, name: 'dn' })).toContain(`cn=platform,${GROUPS}`);
    const filter = '(&(objectClass=groupOfNames)(|(description={name})(cn={name})))';
    expect(await groupsOf({ base: SUFFIX, filter }, 'platform')).toEqual('no such user');
    expect(await groupsOf({ base: SUFFIX, filter: `(|(member={dn})${filter})` }, '*)(uid=*')).toEqual([
      'odd',
    ]);
    expect(await groupsOf({ base: SUFFIX, filter }, '*)(uid=*')).toEqual([]);
  });

  it('come from groups in groups, also where those go in circles', async () => {
    const nested = { base: GROUPS, nested: true };
    for (const base of [searching([slapd.port]), direct(slapd.port)]) {
      expect(await groupsOf(nested, 'anna', base)).toEqual(['everybody', 'platform', 'team-a', 'team-b']);
    }
    expect(await groupsOf(nested, 'ben')).toEqual([]);
    const before = slapd.logs().length;
    await groupsOf(nested, 'anna');
    // For the user, for two groups at once, for the next, and for the one above.
    expect(
      slapd
        .logs()
        .slice(before)
        .match(/SRCH base="ou=groups/g),
    ).toHaveLength(4);
  });

  it('can not be told where the base is missing', async () => {
    const outcome = await verify(
      verifierOf(searching([slapd.port], { groups: { base: `ou=x,${SUFFIX}` } })),
      'anna',
    );
    expect(outcome).toMatchObject({ type: 'cannot-tell' });
  });
});

describe('renewing an LDAP login', () => {
  const addUser = async () => {
    const name = freshName();
    const dn = `uid=${name},${PEOPLE}`;
    const entry = { objectClass: 'inetOrgPerson', uid: name, cn: name, sn: name, userPassword: PASSWORD };
    await slapd.administer((client) => client.add(dn, entry));
    return { name, dn, entry };
  };

  it('asks for the groups anew', async () => {
    const { name, dn } = await addUser();
    const verifier = verifierOf(searching([slapd.port], { groups: { base: GROUPS } }));
    const login = await verify(verifier, name.toUpperCase());
    expect(login).toMatchObject({ identity: { name, groups: [] } });
    await slapd.administer((client) =>
      client.add(`cn=g-${name},${GROUPS}`, { objectClass: 'groupOfNames', member: dn }),
    );
    expect(await renewal(verifier, login)).toMatchObject({ identity: { name, groups: [`g-${name}`] } });
  });

  it('is refused when the entry is gone, or another of its name came', async () => {
    const { name, dn, entry } = await addUser();
    const verifier = verifierOf(searching([slapd.port]));
    const login = await verify(verifier, name);
    expect(await renewal(verifier, login)).toMatchObject({ type: 'identity' });
    await slapd.administer((client) => client.del(dn));
    expect(await renewal(verifier, login)).toMatchObject({ type: 'refused' });
    await slapd.administer((client) => client.add(dn, entry));
    expect(await verify(verifier, name)).toMatchObject({ type: 'identity' });
    expect(await renewal(verifier, login)).toMatchObject({ type: 'refused' });
  });

  it('goes on when the entry moves', async () => {
    const { name, dn } = await addUser();
    const verifier = verifierOf(searching([slapd.port]));
    const login = await verify(verifier, name);
    await slapd.administer((client) => client.modifyDN(dn, `uid=${name},ou=contractors,${PEOPLE}`));
    expect(await renewal(verifier, login)).toMatchObject({ type: 'identity', identity: { name } });
  });

  it('is not offered where only the user may look the user up', () => {
    expect(verifierOf(direct(slapd.port)).renew).toBeUndefined();
  });
});

describe("the proxy's own account", () => {
  it('makes it impossible to tell when it is refused, and is not told', async () => {
    const verifier = verifierOf(searching([slapd.port], { bindPassword: `${SERVICE_PASSWORD}x` }));
    const outcome = await verify(verifier, 'anna');
    expect(outcome).toMatchObject({ type: 'cannot-tell', reason: expect.stringMatching(/refused bindDn/) });
    expect(JSON.stringify(outcome)).not.toContain(SERVICE_PASSWORD);
  });

  it('logs in once for many searches', async () => {
    const verifier = verifierOf(searching([slapd.port], { groups: { base: GROUPS } }));
    const before = slapd.logs().length;
    for (let count = 0; count < 5; count++) await verify(verifier, 'anna');
    expect(
      slapd
        .logs()
        .slice(before)
        .match(/BIND dn="cn=proxy[^"]*" method/g),
    ).toHaveLength(1);
  });
});
