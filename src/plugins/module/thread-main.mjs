// @ts-check
// What runs in the thread of a plugin. It is JavaScript and imports nothing of the project, because a thread starts from a file as it is.
import { parentPort } from 'node:worker_threads';

/** @typedef {import('./messages.ts').FromThread} FromThread */
/** @typedef {import('./messages.ts').Start} Start */
/** @typedef {import('./messages.ts').ToThread} ToThread */
/** @typedef {Readonly<Record<string, unknown>>} Instance */

const LOG_WINDOW_MS = 1000;
const LINES_A_WINDOW = 100;
const MAXIMUM_LINE_LENGTH = 8 * 1024;
/** Of an error that is longer nothing is told: a part could hide the password in it from who looks for it. */
const MAXIMUM_ERROR_LENGTH = 16 * 1024;

class Failure extends Error {
  /**
   * @param {'unavailable' | 'nonsense'} code
   * @param {string} message
   * @param {unknown} [thrown]
   */
  constructor(code, message, thrown) {
    super(message);
    this.code = code;
    this.thrown = thrown;
  }
}

/** @type {Map<number, AbortController>} */
const running = new Map();
const closing = new AbortController();
/** @type {Start | undefined} */
let start;
/** @type {Promise<Instance> | undefined} */
let loading;
let windowBegan = 0;
let linesInWindow = 0;

/** @param {FromThread} message */
function post(message) {
  parentPort?.postMessage(message);
}

/**
 * A loop that logs must not fill the memory of those who write the log.
 * @param {'debug' | 'info' | 'warn' | 'error'} level
 * @param {unknown} text
 */
function log(level, text) {
  const now = Date.now();
  if (now - windowBegan >= LOG_WINDOW_MS || now < windowBegan) {
    const leftOut = linesInWindow - LINES_A_WINDOW;
    if (leftOut > 0) post({ type: 'log', level: 'warn', text: `${leftOut} lines of the plugin are left out` });
    windowBegan = now;
    linesInWindow = 0;
  }
  linesInWindow += 1;
  if (linesInWindow <= LINES_A_WINDOW) post({ type: 'log', level, text: String(text).slice(0, MAXIMUM_LINE_LENGTH) });
}

/** @param {unknown} error */
function messageOf(error) {
  return error instanceof Error ? error.message : String(error);
}

/**
 * @template T
 * @param {() => T} work
 * @returns {Promise<Awaited<T>>}
 */
async function attempt(work) {
  try {
    return await work();
  } catch (error) {
    throw new Failure('unavailable', `threw: ${messageOf(error)}`, error);
  }
}

/** @param {Start} wanted */
async function load({ address, path, name, factory, options }) {
  /** @type {Instance} */
  let exported;
  try {
    exported = await import(address);
  } catch (error) {
    throw new Failure('unavailable', `${path} can't be loaded: ${messageOf(error)}`, error);
  }
  const names = [factory, 'default'];
  const create = names.map((each) => exported[each]).find((value) => value !== undefined);
  if (typeof create !== 'function') {
    throw new Failure('unavailable', `${path} exports none of the functions ${names.join(', ')}`);
  }
  const context = {
    name,
    log: {
      debug: (/** @type {unknown} */ text) => log('debug', text),
      info: (/** @type {unknown} */ text) => log('info', text),
      warn: (/** @type {unknown} */ text) => log('warn', text),
      error: (/** @type {unknown} */ text) => log('error', text),
    },
    signal: closing.signal,
  };
  const made = await attempt(() => create(options, context));
  if (made === null || typeof made !== 'object') {
    throw new Failure('unavailable', `${factory} of ${path} made no object`);
  }
  return made;
}

/** @returns {Promise<Instance>} */
function instance() {
  if (!start) throw new Failure('unavailable', 'was asked before it was started');
  if (!loading) {
    loading = load(start);
    loading.catch(() => {
      loading = undefined;
    });
  }
  return loading;
}

/**
 * Whether a value can't be as small as an answer. Looks no further than it has to: to write all of a huge one as
 * JSON could take more memory than there is.
 * @param {unknown} value
 * @param {number} maximum
 */
function isLarger(value, maximum) {
  const left = [value];
  let size = 0;
  while (left.length > 0) {
    const next = left.pop();
    size += 1;
    if (typeof next === 'string') size += next.length;
    else if (ArrayBuffer.isView(next)) size += next.byteLength;
    else if (Array.isArray(next)) {
      size += next.length;
      if (size <= maximum) for (const inner of next) left.push(inner);
    } else if (typeof next === 'object' && next !== null) {
      for (const [key, inner] of Object.entries(next)) {
        size += key.length;
        left.push(inner);
      }
    }
    if (size > maximum) return true;
  }
  return false;
}

/**
 * @param {unknown} answer
 * @param {number} maximumBytes
 */
function textOf(answer, maximumBytes) {
  const tooLarge = new Failure('nonsense', `answered more than ${maximumBytes} bytes`);
  let text;
  try {
    if (isLarger(answer, maximumBytes)) throw tooLarge;
    text = JSON.stringify(answer);
  } catch (error) {
    throw error === tooLarge ? error : new Failure('nonsense', 'answered what is not JSON');
  }
  if (text === undefined) throw new Failure('nonsense', 'answered what is not JSON');
  if (Buffer.byteLength(text) > maximumBytes) throw tooLarge;
  return text;
}

/**
 * @param {Extract<ToThread, { type: 'ask' }>} question
 * @param {AbortSignal} signal
 */
async function answerTo({ method, body }, signal) {
  const target = await instance();
  if (method === 'describe') return { renew: typeof target.renew === 'function' };
  const called = target[method];
  if (typeof called !== 'function') {
    throw new Failure('unavailable', `what ${start?.path} made has no function ${method}`);
  }
  return attempt(() => called.call(target, body, { signal }));
}

/**
 * @param {number} id
 * @param {unknown} error
 * @returns {FromThread}
 */
function failureOf(id, error) {
  if (!(error instanceof Failure)) return { type: 'failed', id, code: 'unavailable', message: 'threw' };
  const { code, message, thrown } = error;
  if (message.length > MAXIMUM_ERROR_LENGTH) {
    return { type: 'failed', id, code, message: `threw an error of ${message.length} characters` };
  }
  if (!(thrown instanceof Error)) return { type: 'failed', id, code, message };
  const told = { name: String(thrown.name), message: String(thrown.message), stack: String(thrown.stack) };
  const isShort = told.name.length + told.message.length + told.stack.length <= MAXIMUM_ERROR_LENGTH;
  return { type: 'failed', id, code, message, ...(isShort && { thrown: told }) };
}

/** @param {Extract<ToThread, { type: 'ask' }>} question */
async function answer(question) {
  const { id } = question;
  const controller = new AbortController();
  running.set(id, controller);
  try {
    const given = await answerTo(question, controller.signal);
    post({ type: 'answer', id, text: textOf(given, start?.maximumBytes ?? 0) });
  } catch (error) {
    post(failureOf(id, error));
  } finally {
    running.delete(id);
  }
}

async function close() {
  closing.abort();
  try {
    const target = await loading?.catch(() => undefined);
    if (typeof target?.close === 'function') await target.close();
    post({ type: 'closed' });
  } catch (error) {
    post({ type: 'closed', failure: messageOf(error).slice(0, MAXIMUM_LINE_LENGTH) });
  }
}

parentPort?.on('message', (/** @type {ToThread} */ message) => {
  switch (message.type) {
    case 'start':
      start = message;
      break;
    case 'ask':
      void answer(message);
      break;
    case 'cancel':
      post({ type: 'alive', id: message.id });
      running.get(message.id)?.abort();
      break;
    case 'close':
      post({ type: 'alive', id: message.id });
      void close();
      break;
  }
});

// Without this, a promise that is rejected and forgotten would end the thread. The reason may hold a password.
process.on('unhandledRejection', () => log('warn', 'a promise of the plugin was rejected, which was not handled'));
