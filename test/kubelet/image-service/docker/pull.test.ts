import { describe, expect, it } from 'vitest';
import { authConfig } from '../../../../src/kubelet/image-service/auth-config.ts';
import { STATUS } from '../../../../src/kubelet/image-service/errors.ts';
import { waitFor } from '../../../support/wait.ts';
import { createDeferred } from '../deferred.ts';
import { createHeldClock } from '../held-clock.ts';
import { connect } from './backend.ts';
import { APP, type FakeEngineOptions, ID, line, sendError, startFakeEngine } from './fake-engine.ts';

const NAME = 'docker.example.com/team/app:v1';
const AUTH = authConfig({ username: 'acme', password: 'secret' });

async function withPull(pull?: FakeEngineOptions['pull'], more: FakeEngineOptions = {}) {
  const clock = createHeldClock();
  const engine = await startFakeEngine({ images: [APP], ...(pull && { pull }), ...more });
  return { engine, clock, ...connect(engine.socket, { clock }) };
}

const failingWith = (...lines: unknown[]) =>
  withPull((response) => {
    response.writeHead(200);
    response.end(lines.map(line).join(''));
  });

describe('PullImage', () => {
  it('gives the id that ImageStatus gives, with the credential in a header', async () => {
    const { engine, pull, status } = await withPull();
    expect(await pull(NAME, AUTH)).toBe(ID);
    expect((await status(NAME)).image?.id).toBe(ID);
    const asked = engine.seen.find(({ path }) => path === '/images/create');
    expect(Object.fromEntries(asked?.query ?? [])).toEqual({
      fromImage: 'docker.example.com/team/app',
      tag: 'v1',
    });
    expect(JSON.parse(Buffer.from(asked?.registryAuth ?? '', 'base64url').toString())).toEqual({
      username: 'acme',
      password: 'secret',
    });
  });

  it('shows no credential when there is none', async () => {
    const { engine, pull } = await withPull();
    await pull(NAME);
    expect(engine.seen.find(({ path }) => path === '/images/create')?.registryAuth).toBeUndefined();
  });

  it("gives the manifest's digest where images are in containerd", async () => {
    const digest = `sha256:${'d'.repeat(64)}`;
    const image = { Id: digest, RepoTags: [NAME], RepoDigests: [`docker.example.com/team/app@${digest}`] };
    const { pull, status } = await withPull(undefined, {
      apiVersion: '1.52',
      minimumApiVersion: '1.44',
      images: [{ ...image, Size: 9 }],
    });
    expect(await pull(NAME)).toBe(digest);
    expect((await status(digest)).image?.id).toBe(digest);
  });

  it.each([
    ['errorDetail', { errorDetail: { message: 'no space left on device' } }],
    ['both', { errorDetail: { message: 'no space left on device' }, error: 'other' }],
    ['error alone', { error: 'no space left on device' }],
  ])('fails by %s, although the status is 200', async (_case, last) => {
    const { pull } = await failingWith({ status: 'Pulling from team/app', id: 'v1' }, last);
    await expect(pull(NAME)).rejects.toMatchObject({
      code: STATUS.UNKNOWN,
      message: 'no space left on device',
    });
  });

  it('fails by an error in the middle, whatever follows', async () => {
    const { pull } = await failingWith(
      { errorDetail: { message: 'bad layer' } },
      { status: 'Pull complete' },
    );
    await expect(pull(NAME)).rejects.toThrow('bad layer');
  });

  it.each([
    [{ errorDetail: { code: 502, message: '<html>Bad Gateway</html>' } }],
    [{ errorDetail: { code: 503, message: 'overloaded' } }],
    [{ errorDetail: { code: 504, message: 'timeout' } }],
    [{ errorDetail: { message: 'received unexpected HTTP status: 503 Service Unavailable' } }],
    [{ errorDetail: { message: 'error parsing HTTP 502 response body: invalid character' } }],
    [
      {
        errorDetail: {
          message:
            'failed to resolve reference "x": unexpected status from HEAD request to https://docker.example.com/v2/team/app/manifests/v1: 504 Gateway Timeout',
        },
      },
    ],
    [
      {
        errorDetail: {
          message: 'failed to copy: unexpected status code https://x/blobs: 503 Service Unavailable',
        },
      },
    ],
  ])('says in the way kubelet knows that the registry is unavailable: %j', async (last) => {
    const { pull } = await failingWith(last);
    await expect(pull(NAME)).rejects.toMatchObject({
      code: STATUS.UNKNOWN,
      message: expect.stringMatching(/^RegistryUnavailable: /),
    });
  });

  it.each([
    { errorDetail: { code: 500, message: 'oops' } },
    { errorDetail: { message: 'manifest unknown' } },
    { errorDetail: { message: 'sha256:503: not found' } },
  ])('and only then: %j', async (last) => {
    const { pull } = await failingWith(last);
    await expect(pull(NAME)).rejects.toThrow(/^(?!RegistryUnavailable)/);
  });

  it.each([
    [404, 'pull access denied for docker.example.com/team/app'],
    [500, 'Head "https://docker.example.com/v2/team/app/manifests/v1": no basic auth credentials'],
  ])('fails before the first line with status %i', async (status, message) => {
    const { pull } = await withPull((response) => sendError(response, status, message));
    await expect(pull(NAME)).rejects.toMatchObject({ code: STATUS.UNKNOWN, message });
  });

  it('fails when Docker Engine does not have the image afterwards', async () => {
    const { engine, pull } = await withPull();
    engine.options = { ...engine.options, images: [] };
    await expect(pull(NAME)).rejects.toThrow(/has pulled .* and does not have it/);
  });

  it('fails when the answer breaks off', async () => {
    const { pull } = await withPull((response) => {
      response.writeHead(200);
      response.write(line({ status: 'Downloading', id: 'a' }), () => response.destroy());
    });
    await expect(pull(NAME)).rejects.toMatchObject({ code: STATUS.UNAVAILABLE });
  });

  it.each([
    ['that is no JSON', '<html>\n', 'Docker Engine answered with a line that is not JSON'],
    [
      'that never ends',
      `"${'x'.repeat(1024 * 1024 + 1)}`,
      'Docker Engine answered with a line of more than 1048576 bytes',
    ],
  ])('fails at a line %s', async (_case, text, message) => {
    const { pull } = await withPull((response) => {
      response.writeHead(200);
      response.end(text);
    });
    await expect(pull(NAME)).rejects.toMatchObject({ code: STATUS.UNKNOWN, message });
  });

  it.each(['', 'a'.repeat(64), 'docker.example.com/App'])('refuses %j', async (image) => {
    const { engine, pull } = await withPull();
    await expect(pull(image)).rejects.toMatchObject({ code: STATUS.INVALID_ARGUMENT });
    expect(engine.seen.some(({ method }) => method === 'POST')).toBe(false);
  });

  it('hides the credential in what it says', async () => {
    const { pull } = await failingWith({ errorDetail: { message: 'unauthorized: authentication required' } });
    const error: unknown = await pull(NAME, AUTH).catch((reason: unknown) => reason);
    expect(JSON.stringify(error) + String(error)).not.toMatch(/secret|YWNtZ/);
  });
});

describe('a pull that gets nowhere', () => {
  /** A pull that says what it is told to, and hears when it is given up. */
  async function withTalk() {
    const started = createDeferred<(value: unknown) => void>();
    const gone = createDeferred();
    const held = createHeldClock();
    let looks = 0;
    const now = () => {
      looks += 1;
      return held.now();
    };
    const engine = await startFakeEngine({
      images: [APP],
      pull: (response) => {
        response.once('close', () => gone.resolve());
        response.writeHead(200);
        response.flushHeaders();
        started.resolve((value) => void response.write(line(value)));
      },
    });
    const { pull } = connect(engine.socket, { clock: { ...held, now } });
    const pulling = pull(NAME);
    pulling.catch(() => undefined);
    const write = await started.promise;
    return {
      pulling,
      gone: gone.promise,
      /** Says something new, and waits until it has been heard: then it's looked what time it is. */
      async say(value: unknown): Promise<void> {
        const before = looks;
        write(value);
        await waitFor('the line to be read', () => (looks > before ? true : undefined));
      },
      /** Moves on, and tells whether the pull has been given up. */
      async givesUpAfter(milliseconds: number): Promise<boolean> {
        await waitFor('the watch', () => held.sleeping() || undefined);
        held.advance(milliseconds);
        const givenUp = pulling.then(
          () => false,
          () => true,
        );
        // Otherwise the watch goes on.
        return Promise.race([
          givenUp,
          waitFor('the watch', () => held.sleeping() || undefined).then(() => false),
        ]);
      },
    };
  }

  it('is given up after a minute of silence, and Docker Engine gives it up too', async () => {
    const talk = await withTalk();
    expect(await talk.givesUpAfter(59_999)).toBe(false);
    expect(await talk.givesUpAfter(1)).toBe(true);
    await expect(talk.pulling).rejects.toMatchObject({
      code: STATUS.DEADLINE_EXCEEDED,
      message: expect.stringContaining('got no further for 60 s'),
    });
    await talk.gone;
  });

  it('goes on for as long as there is news', async () => {
    const talk = await withTalk();
    for (const current of [1, 2, 3]) {
      expect(await talk.givesUpAfter(59_999)).toBe(false);
      await talk.say({ status: 'Downloading', id: 'a', progressDetail: { current, total: 9 } });
    }
    expect(await talk.givesUpAfter(59_999)).toBe(false);
    expect(await talk.givesUpAfter(1)).toBe(true);
  });

  it('has ten minutes while a layer is unpacked', async () => {
    const talk = await withTalk();
    await talk.say({ status: 'Extracting', id: 'a', progressDetail: { current: 5, total: 9 } });
    expect(await talk.givesUpAfter(60_000)).toBe(false);
    expect(await talk.givesUpAfter(539_999)).toBe(false);
    expect(await talk.givesUpAfter(1)).toBe(true);
  });
});

describe('pulls at once', () => {
  it('of the same image with the same credential are one', async () => {
    const release = createDeferred();
    const { engine, pull } = await withPull(async (response) => {
      await release.promise;
      response.writeHead(200);
      response.end(line({ status: 'done' }));
    });
    const creates = () => engine.seen.filter(({ path }) => path === '/images/create').length;
    const pulls = [...Array.from({ length: 10 }, () => pull(NAME, AUTH)), pull(NAME)];
    await waitFor('both pulls', () => (creates() === 2 ? true : undefined));
    release.resolve();
    expect(new Set(await Promise.all(pulls))).toEqual(new Set([ID]));
    expect(creates()).toBe(2);
  });

  it('go on when one of them is given up, and end at Docker Engine with the last', async () => {
    const gone = createDeferred();
    const started = createDeferred();
    const { pull } = await withPull((response) => {
      response.once('close', () => gone.resolve());
      response.writeHead(200);
      response.flushHeaders();
      started.resolve();
    });
    const [first, second] = [new AbortController(), new AbortController()];
    const pulls = [pull(NAME, AUTH, first.signal), pull(NAME, AUTH, second.signal)];
    const outcomes = Promise.allSettled(pulls);
    await started.promise;
    first.abort(new Error('first'));
    await expect(pulls[0]).rejects.toThrow('first');
    let ended = false;
    const ending = gone.promise.then(() => {
      ended = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(ended).toBe(false);
    second.abort(new Error('second'));
    await ending;
    expect((await outcomes).map((outcome) => outcome.status)).toEqual(['rejected', 'rejected']);
  });

  it('a new one does not join what is being given up', async () => {
    let count = 0;
    const { pull } = await withPull((response) => {
      count += 1;
      response.writeHead(200);
      if (count > 1) response.end(line({ status: 'done' }));
      else response.flushHeaders();
    });
    const controller = new AbortController();
    const givenUp = pull(NAME, AUTH, controller.signal);
    givenUp.catch(() => undefined);
    await waitFor('the first', () => count || undefined);
    controller.abort(new Error('gone'));
    await expect(givenUp).rejects.toThrow('gone');
    expect(await pull(NAME, AUTH)).toBe(ID);
  });
});
