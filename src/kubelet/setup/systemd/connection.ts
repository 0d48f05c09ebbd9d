import { reasonOf, SetupError } from '../errors.ts';

/** A method call on the bus. */
export interface BusCall {
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  readonly signature?: string;
  readonly body?: readonly unknown[];
  readonly destination: string;
}

export interface BusSignal {
  readonly member: string;
  readonly body: readonly unknown[];
}

/** A D-Bus connection: what we need of one, so that the library behind it can be replaced. */
export interface BusConnection {
  /** @returns what the method returns; only its first value */
  call(call: BusCall): Promise<unknown>;
  /** @returns a function that ends the listening */
  onSignal(listener: (signal: BusSignal) => void): () => void;
  close(): Promise<void>;
}

/** The peer answered with an error; `errorName` is that of D-Bus. */
export class BusError extends Error {
  constructor(
    readonly errorName: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'BusError';
  }
}

const CALL_TIMEOUT_MS = 90_000;
const CONNECT_TIMEOUT_MS = 5_000;
const SIGNAL = 4;
const ALL_MESSAGES = 'message';

/**
 * Connects to a D-Bus socket.
 * @param direct whether the peer is the program itself, as on systemd's own socket: no bus, so no Hello
 * @throws {SetupError} when nobody answers there
 */
export async function connectToBus(socket: string, direct: boolean): Promise<BusConnection> {
  const { createClient } = (await import('dbus-native')).default;
  const bus = createClient({ socket, direct, plainValues: true, authMethods: ['EXTERNAL'] });
  const { connection } = bus;
  await new Promise<void>((resolve, reject) => {
    const fail = (cause: unknown): void => {
      clearTimeout(timer);
      reject(new SetupError('failed', `systemd does not answer on ${socket}: ${reasonOf(cause)}`, { cause }));
    };
    const timer = setTimeout(() => {
      connection.end();
      fail(new Error('it took too long'));
    }, CONNECT_TIMEOUT_MS);
    connection.once('connect', () => {
      clearTimeout(timer);
      resolve();
    });
    // Also afterwards: without a listener a connection that breaks would end the program. Pending calls fail by themselves.
    connection.on('error', fail);
    connection.once('close', () => fail(new Error('it closed the connection')));
  });
  return {
    async call({ signature, body, ...call }) {
      const message = { ...call, ...(signature !== undefined && { signature, body: [...(body ?? [])] }) };
      try {
        return await bus.invoke(message, { timeout: CALL_TIMEOUT_MS });
      } catch (error) {
        const name = error instanceof Error && 'dbusName' in error ? String(error.dbusName) : '';
        throw new BusError(name, `${call.member}: ${reasonOf(error)}`, { cause: error });
      }
    },
    onSignal(listener) {
      const receive = (message: { type?: number; member?: string; body?: unknown }): void => {
        if (message.type !== SIGNAL) return;
        listener({ member: message.member ?? '', body: Array.isArray(message.body) ? message.body : [] });
      };
      connection.on(ALL_MESSAGES, receive);
      return () => void connection.removeListener(ALL_MESSAGES, receive);
    },
    close: () => bus.close(),
  };
}
