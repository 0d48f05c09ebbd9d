import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { connect, type Socket } from 'node:net';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Secret } from '../../../../src/core/index.ts';
import type { Verifier } from '../../../../src/proxy/identity/index.ts';
import { openConnection } from '../../../../src/proxy/identity/ldap/connection.ts';
import { createTrust } from '../../../../src/proxy/identity/ldap/open-socket.ts';
import { type Slapd, startSlapd } from '../../../servers/index.ts';
import { type CertificateAuthority, createCertificateAuthority } from '../../../support/certificates.ts';
import { findFreePort } from '../../../support/ports.ts';
import { useResources } from '../../../support/resources.ts';
import { waitFor } from '../../../support/wait.ts';
import {
  createVerifier,
  direct,
  ENTRIES,
  GROUPS,
  type LdapInput,
  PASSWORD,
  PEOPLE,
  searching,
  verify,
} from './directory.ts';
import { startBindServer, startInjectingServer, startSilentServer, startTcpServer } from './fake-servers.ts';

const keep = useResources();
let authority: CertificateAuthority;
let otherAuthority: CertificateAuthority;
let slapd: Slapd;
const made: Verifier[] = [];

beforeAll(async () => {
  authority = await createCertificateAuthority();
  otherAuthority = await createCertificateAuthority('another authority');
  slapd = keep(await startSlapd({ entries: ENTRIES, certificate: await authority.issue(['localhost']) }));
});
afterEach(async () => {
  for (const verifier of made.splice(0)) await verifier.close();
});

function verifierOf(input: LdapInput, ca = authority): Verifier {
  const verifier = createVerifier(input, { 'ca.pem': ca.certificatePem });
  made.push(verifier);
  return verifier;
}

describe('LDAP over TLS', () => {
  const overTls = (host: string, more: LdapInput = {}) =>
    searching([], {
      urls: undefined,
      url: `ldaps://${host}:${slapd.tlsPort}`,
      allowPlaintext: false,
      certificateAuthorityFile: 'ca.pem',
      ...more,
    });
  const byStartTls = (host: string) => overTls(host, { url: `ldap://${host}:${slapd.port}`, startTls: true });

  it.each([
    ['ldaps', overTls],
    ['StartTLS', byStartTls],
  ])('by %s checks who the server is, before a password goes out', async (_, input) => {
    expect(await verify(verifierOf(input('localhost')), 'anna')).toMatchObject({ type: 'identity' });
    expect(await verify(verifierOf(input('localhost')), 'anna', 'wrong')).toMatchObject({ type: 'refused' });
    const before = slapd.logs().length;
    const mismatch = await verify(verifierOf(input('127.0.0.1')), 'anna');
    expect(mismatch).toMatchObject({ type: 'cannot-tell', reason: expect.stringContaining('altnames') });
    const strange = await verify(verifierOf(input('localhost'), otherAuthority), 'anna');
    expect(strange).toMatchObject({ type: 'cannot-tell', reason: expect.stringContaining('certificate') });
    const system = await verify(
      verifierOf({ ...input('localhost'), certificateAuthorityFile: undefined }),
      'anna',
    );
    expect(system).toMatchObject({ type: 'cannot-tell' });
    expect(slapd.logs().slice(before)).not.toContain('BIND dn');
  });

  it('says nothing in the clear with StartTLS', async () => {
    const before = slapd.logs().length;
    await verify(verifierOf(byStartTls('localhost')), 'anna');
    const log = slapd.logs().slice(before);
    const secured = new Set([...log.matchAll(/conn=(\d+) .*TLS established/g)].map(([, number]) => number));
    const bound = [...log.matchAll(/conn=(\d+) .*BIND dn=/g)].map(([, number]) => number);
    expect(bound.length).toBeGreaterThan(0);
    for (const number of bound) expect(secured).toContain(number);
  });

  it('can not tell where StartTLS is refused', async () => {
    const plain = keep(await startSlapd({ entries: ENTRIES }));
    const before = plain.logs().length;
    const input = overTls('localhost', { url: `ldap://localhost:${plain.port}`, startTls: true });
    expect(await verify(verifierOf(input), 'anna')).toMatchObject({ type: 'cannot-tell' });
    expect(plain.logs().slice(before)).not.toContain('BIND dn');
  });

  it('takes nothing that came in the clear for an encrypted answer', async () => {
    const server = keep(await startInjectingServer(await authority.issue(['localhost'])));
    const input = direct(0, {
      url: `ldap://localhost:${server.port}`,
      startTls: true,
      allowPlaintext: false,
      certificateAuthorityFile: 'ca.pem',
    });
    expect(await verify(verifierOf(input), 'anna', 'wrong')).toMatchObject({
      type: 'refused',
      reason: expect.stringContaining('wrong password'),
    });
  });
});

describe('LDAP servers that fail', () => {
  it('are passed over, and asked again when they are back', async () => {
    const first = keep(await startSlapd({ entries: ENTRIES }));
    const second = keep(await startSlapd({ entries: ENTRIES }));
    const verifier = verifierOf(searching([first.port, second.port], { groups: { base: GROUPS } }));
    expect(await verify(verifier, 'anna')).toMatchObject({ type: 'identity' });
    await first.kill();
    expect(await verify(verifier, 'anna')).toMatchObject({ identity: { groups: ['platform', 'team-a'] } });
    expect(await verify(verifier, 'anna', 'wrong')).toMatchObject({ type: 'refused' });
    await second.kill();
    expect(await verify(verifier, 'anna')).toMatchObject({
      type: 'cannot-tell',
      reason: expect.stringMatching(new RegExp(`127.0.0.1:${second.port}.*; .*127.0.0.1:${first.port}`)),
    });
    await first.start();
    expect(await verify(verifier, 'anna')).toMatchObject({ type: 'identity' });
    const before = first.logs().length;
    await second.start();
    await verify(verifier, 'anna');
    expect(first.logs().slice(before)).toContain('BIND dn');
  });

  it('may close connections that are at rest', async () => {
    const server = keep(await startSlapd({ entries: ENTRIES }));
    const verifier = verifierOf(searching([server.port]));
    expect(await verify(verifier, 'anna')).toMatchObject({ type: 'identity' });
    await server.kill();
    await server.start();
    expect(await verify(verifier, 'anna')).toMatchObject({ type: 'identity' });
  });

  it('may close a connection in the middle of a question', async () => {
    const relay = keep(
      await startTcpServer((socket) => {
        const server = connect(slapd.port, '127.0.0.1');
        let messages = 0;
        server.on('error', () => undefined).pipe(socket);
        socket.on('close', () => server.destroy());
        socket.on('data', (chunk) => {
          messages += 1;
          // The own account logs in and asks once; its second question breaks the connection.
          if (messages > 2) socket.destroy();
          else server.write(chunk);
        });
      }),
    );
    const verifier = verifierOf(searching([relay.port]));
    expect(await verify(verifier, 'anna')).toMatchObject({ type: 'identity' });
    expect(await verify(verifier, 'anna')).toMatchObject({ type: 'identity' });
  });

  it('can not tell when they are silent, or talk nonsense', async () => {
    const silent = keep(await startSilentServer());
    const web = keep(await startTcpServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')));
    const flood = keep(
      await startTcpServer((socket) => {
        const chunk = Buffer.alloc(1024 * 1024, 0x30);
        const send = () => {
          while (!socket.destroyed && socket.write(chunk));
        };
        // A message of 2 GiB.
        socket.write(Buffer.from([0x30, 0x84, 0x7f, 0xff, 0xff, 0xff]));
        socket.on('drain', send).resume();
        send();
      }),
    );
    for (const { port } of [silent, web, flood]) {
      for (const input of [searching([port], { timeout: '200ms' }), direct(port, { timeout: '200ms' })]) {
        expect(await verify(verifierOf(input), 'anna')).toMatchObject({ type: 'cannot-tell' });
      }
    }
    await waitFor('connections to be closed', () => (silent.open + flood.open === 0 ? true : undefined));
  });

  it('do not hold up logins when another one answers', async () => {
    const silent = keep(await startSilentServer());
    const verifier = verifierOf(searching([silent.port, slapd.port], { timeout: '200ms' }));
    expect(await verify(verifier, 'anna')).toMatchObject({ type: 'identity' });
  });

  it('are given up when nobody waits any more', async () => {
    const silent = keep(await startSilentServer());
    const verifier = verifierOf(searching([silent.port]));
    const controller = new AbortController();
    const outcome = verifier.verify({ username: 'anna', password: new Secret(PASSWORD) }, controller.signal);
    await waitFor('the connection', () => (silent.open === 1 ? true : undefined));
    controller.abort();
    expect(await outcome).toMatchObject({ type: 'cannot-tell' });
    await waitFor('its end', () => (silent.open === 0 ? true : undefined));
  });

  it('are out of reach where nothing listens', async () => {
    const port = await findFreePort();
    expect(await verify(verifierOf(searching([port])), 'anna')).toMatchObject({
      type: 'cannot-tell',
      reason: expect.stringContaining('ECONNREFUSED'),
    });
  });
});

describe('a connection', () => {
  const { signal } = new AbortController();
  const query = { base: PEOPLE, scope: 'sub', filter: '(uid=anna)', attributes: ['uid'] } as const;
  const open = () =>
    openConnection(
      { url: 'ldap://test', host: '127.0.0.1', port: slapd.port, protection: 'none' },
      createTrust(undefined),
      signal,
    );

  it.each([
    ['', 'x'],
    [`uid=anna,${PEOPLE}`, ''],
    ['EXTERNAL', 'x'],
  ])('does not bind as %j with %j', async (name, password) => {
    const connection = await open();
    const before = slapd.logs().length;
    await expect(connection.bind(name, password, signal)).rejects.toThrow('needs a name and a password');
    expect(slapd.logs().slice(before)).not.toContain('BIND dn');
    connection.close();
  });

  it('is not made again by itself', async () => {
    const connection = await open();
    expect(await connection.bind(`uid=anna,${PEOPLE}`, PASSWORD, signal)).toBeUndefined();
    expect(await connection.search(query, signal)).toHaveLength(1);
    connection.close();
    const sockets = watchSockets();
    await expect(connection.search(query, signal)).rejects.toThrow();
    expect(connection.isOpen).toBe(false);
    await expect(connection.search(query, signal)).rejects.toThrow('closed');
    expect(sockets.stop()).toBe(0);
  });
});

describe('what a server answers to a bind', () => {
  const AD = '80090308: LdapErr: DSID-0C090447, comment: AcceptSecurityContext error, data';
  it.each([
    [49, '', 'refused', 'wrong password'],
    [49, `${AD} 52e, v3839`, 'refused', 'wrong password'],
    [49, `${AD} 532, v3839`, 'refused', 'the password has expired'],
    [49, `${AD} 533, v3839`, 'refused', 'the account is disabled'],
    [49, `${AD} 775, v3839`, 'refused', 'the account is locked'],
    [49, `${AD} fff, v3839`, 'refused', 'wrong password'],
    [10, '', 'refused', 'refers to another'],
    [19, '', 'refused', 'locked'],
    [32, '', 'refused', 'no such entry'],
    [48, '', 'refused', 'no password'],
    [53, '', 'refused', 'unwilling'],
    [14, '', 'cannot-tell', ''],
    [13, '', 'cannot-tell', ''],
    [51, '', 'cannot-tell', ''],
    [52, '', 'cannot-tell', ''],
    [80, '', 'cannot-tell', ''],
    [99, '', 'cannot-tell', ''],
  ])('code %i %s is %s', async (code, message, type, reason) => {
    const server = await startBindServer(code, message);
    const verifier = verifierOf(direct(server.port));
    expect(await verify(verifier, 'anna')).toMatchObject({ type, reason: expect.stringContaining(reason) });
    await server.close();
  });

  it.each([
    [51, 'identity'],
    [52, 'identity'],
    [49, 'refused'],
  ])('code %i makes the next server be asked, or not: %s', async (code, type) => {
    const server = await startBindServer(code);
    const urls = [`ldap://127.0.0.1:${server.port}`, `ldap://127.0.0.1:${slapd.port}`];
    expect(await verify(verifierOf(direct(0, { url: undefined, urls })), 'anna')).toMatchObject({ type });
    await server.close();
  });
});

describe('fifty LDAP logins at once', () => {
  it('are all told right over a few connections', async () => {
    const verifier = verifierOf(searching([slapd.port], { groups: { base: GROUPS }, connections: 3 }));
    const before = slapd.logs().length;
    const sockets = watchSockets();
    const outcomes = await Promise.all(
      Array.from({ length: 50 }, (_, index) => verify(verifier, 'anna', index % 2 ? PASSWORD : 'wrong')),
    );
    const expected = Array.from({ length: 50 }, (_, index) => (index % 2 ? 'identity' : 'refused'));
    expect(outcomes.map(({ type }) => type)).toEqual(expected);
    expect(
      slapd
        .logs()
        .slice(before)
        .match(/BIND dn="cn=proxy[^"]*" method/g),
    ).toHaveLength(3);
    expect(sockets.stop()).toBe(6);
  });

  it('are turned away when too many wait', async () => {
    const silent = keep(await startSilentServer());
    const verifier = verifierOf(searching([silent.port], { connections: 2, timeout: '200ms' }));
    const many = Array.from({ length: 260 }, () => verify(verifier, 'anna'));
    await waitFor('both connections', () => (silent.open === 2 ? true : undefined));
    await verifier.close();
    const reasons = (await Promise.all(many)).map((outcome) => ('reason' in outcome ? outcome.reason : ''));
    expect(reasons.filter((reason) => reason === 'too many logins wait already')).toHaveLength(2);
    expect(reasons.filter((reason) => reason.includes('closed'))).toHaveLength(258);
  });
});

/** Counts the connections that this process has open at a time. */
function watchSockets(): { stop(): number } {
  const sockets: Socket[] = [];
  let most = 0;
  const count = (message: unknown) => {
    sockets.push((message as { socket: Socket }).socket);
    most = Math.max(most, sockets.filter(({ destroyed }) => !destroyed).length);
  };
  subscribe('net.client.socket', count);
  return {
    stop: () => {
      unsubscribe('net.client.socket', count);
      return most;
    },
  };
}
