import type { Clock } from '../../core/index.ts';
import type { Logger } from '../../telemetry/index.ts';
import type { Backend } from './backend.ts';
import type { StatusCode } from './errors.ts';
import { type CallDetails, logFailedCall } from './failed-call.ts';
import { type Answer, type IncomingCall, messageAnswer, statusOfError, withTimeout } from './grpc/index.ts';
import type { PullCredentials } from './image-service.ts';
import type { LastGoodAnswers } from './last-good.ts';
import type { ImageServiceMetrics } from './metrics.ts';
import { type PullDependencies, pullImage } from './pull.ts';

/** Answered here, so that it says that this process does its work, whatever the runtime does. */
export const SELF_PROBE_PATH = '/drp.Probe/Ping';

const SERVICE = /^runtime\.(?:v1|v1alpha2)\.ImageService$/;
const METHODS: ReadonlySet<string> = new Set([
  'ListImages',
  'StreamImages',
  'ImageStatus',
  'PullImage',
  'RemoveImage',
  'ImageFsInfo',
]);
const KEPT_METHODS: ReadonlySet<string> = new Set(['ListImages', 'ImageFsInfo']);

/** What a call is answered with; held for as long as the call takes. */
export interface Parts {
  readonly backend: Backend;
  readonly lastGood: LastGoodAnswers;
  readonly credentials: PullCredentials;
}

export interface CallHandlerDependencies {
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: ImageServiceMetrics;
}

/** Answers one call; never rejects. */
export async function handleCall(
  call: IncomingCall,
  parts: Parts,
  { clock, log, metrics }: CallHandlerDependencies,
): Promise<void> {
  if (call.path === SELF_PROBE_PATH) return call.answer(messageAnswer(Buffer.alloc(0)));
  const isOurs = SERVICE.test(call.service);
  const method = isOurs && METHODS.has(call.method) ? call.method : 'other';
  const labels = { backend: parts.backend.type, method };
  const startedAt = clock.now();
  metrics.callsRunning.inc();
  let details: CallDetails = { method };
  const note = (more: Partial<CallDetails>) => {
    details = { ...details, ...more };
  };
  let code: StatusCode;
  try {
    code = await answerCall(call, method, parts, { clock, note });
  } catch (error) {
    code = statusOfError(error).code;
    logFailedCall(log, error, details);
    call.fail(error);
  }
  const milliseconds = clock.now() - startedAt;
  metrics.callsRunning.dec();
  metrics.calls.inc({ ...labels, code: String(code) });
  metrics.callSeconds.observe(labels, milliseconds / 1000);
  log.debug({ ...details, path: call.path, code, milliseconds }, 'call');
}

async function answerCall(
  call: IncomingCall,
  method: string,
  parts: Parts,
  more: Pick<PullDependencies, 'clock' | 'note'>,
): Promise<StatusCode> {
  if (method === 'PullImage') return give(call, await pullImage(call, { ...parts, ...more }));
  if (KEPT_METHODS.has(method)) return give(call, await keptAnswer(call, parts));
  return parts.backend.pass(call);
}

async function keptAnswer(call: IncomingCall, { backend, lastGood }: Parts): Promise<Answer> {
  const { path, metadata, signal } = call;
  const body = await call.body();
  return lastGood.answer({
    method: call.method,
    key: `${path} ${body.toString('latin1')}`,
    signal,
    ask: (askSignal, timeoutMs) => {
      const asked = timeoutMs === undefined ? metadata : withTimeout(metadata, timeoutMs);
      return backend.unary({ path, metadata: asked, body }, askSignal);
    },
  });
}

function give(call: IncomingCall, answer: Answer): StatusCode {
  call.answer(answer);
  return answer.code;
}
