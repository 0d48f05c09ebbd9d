import { expect, it, onTestFinished } from 'vitest';
import { STATUS } from '../../../../src/kubelet/image-service/errors.ts';
import { createHeldClock } from '../held-clock.ts';
import { createKubelet } from '../support/kubelet.ts';
import { startService } from '../support/service.ts';
import { APP, type FakeEngineOptions, type SeenRequest, sendError, startFakeEngine } from './fake-engine.ts';

it.each(['ListImages', 'ImageFsInfo'])(
  '%s is the last good one while Docker Engine starts or is away, whatever is pinned, and counted',
  async (method) => {
    const engine = await startFakeEngine({ images: [APP], info: { DockerRootDir: '/' } });
    const backend = { type: 'docker' as const, socket: engine.socket };
    const clock = createHeldClock();
    const running = await startService({ backend }, clock);
    onTestFinished(() => running.close());
    const kubelet = createKubelet(running.socket);
    onTestFinished(() => kubelet.close());
    const before = await kubelet.call(method);
    expect(before).toMatchObject({ status: STATUS.OK, message: '' });
    engine.options = { ...engine.options, intercept: failingWhile(() => true) };
    // So long is kept anyway what the file systems hold.
    clock.advance(30_000);
    expect((await kubelet.call(method)).body).toEqual(before.body);
    await engine.close();
    running.reload({ backend: { ...backend, pinnedImages: ['docker.example.com/pause'] } });
    expect((await kubelet.call(method)).body).toEqual(before.body);
    const { values } = await running.metrics.staleAnswers.get();
    expect(values).toEqual([{ labels: { backend: 'docker', method, reason: 'away' }, value: 2 }]);
  },
);

it('is not ready while Docker Engine is away, or starts', async () => {
  const engine = await startFakeEngine();
  const running = await startService({ backend: { type: 'docker', socket: engine.socket } });
  onTestFinished(() => running.close());
  const { signal } = new AbortController();
  await running.service.probe(signal);
  engine.options = { intercept: failingWhile(({ path }) => path === '/images/json') };
  await expect(running.service.probe(signal)).rejects.toThrow('starting');
  await engine.close();
  await expect(running.service.probe(signal)).rejects.toThrow("Docker Engine can't be reached");
});

function failingWhile(
  isMeant: (request: SeenRequest) => boolean,
): NonNullable<FakeEngineOptions['intercept']> {
  return (response, request) => {
    if (!isMeant(request)) return false;
    sendError(response, 500, 'starting');
    return true;
  };
}
