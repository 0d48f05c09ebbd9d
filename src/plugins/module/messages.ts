import type { PluginErrorCode } from '../errors.ts';
import type { Method } from '../transport.ts';

/** The first message to a thread: what it stands for. Nothing is loaded before the first question. */
export interface Start {
  readonly type: 'start';
  /** Of the module, as a URL. */
  readonly address: string;
  /** Of the module, as the configuration names it. */
  readonly path: string;
  readonly name: string;
  readonly factory: 'createVerifier' | 'createProvider';
  readonly options: Readonly<Record<string, unknown>>;
  /** An answer as JSON may not be longer. */
  readonly maximumBytes: number;
}

/** What a thread is told. */
export type ToThread =
  | Start
  | {
      readonly type: 'ask';
      readonly id: number;
      readonly method: Method;
      readonly body: Readonly<Record<string, unknown>>;
    }
  /** Nobody waits for this answer any more. The thread shows that it still reacts. */
  | { readonly type: 'cancel'; readonly id: number }
  /** It is to end what it has made, and shows that it still reacts. */
  | { readonly type: 'close'; readonly id: number };

/** An error as it comes out of a thread. */
export interface Thrown {
  readonly name: string;
  readonly message: string;
  readonly stack: string;
}

/** What a thread says. */
export type FromThread =
  | { readonly type: 'answer'; readonly id: number; readonly text: string }
  | {
      readonly type: 'failed';
      readonly id: number;
      readonly code: Extract<PluginErrorCode, 'unavailable' | 'nonsense'>;
      readonly message: string;
      readonly thrown?: Thrown;
    }
  | { readonly type: 'alive'; readonly id: number }
  | { readonly type: 'log'; readonly level: 'debug' | 'info' | 'warn' | 'error'; readonly text: string }
  | { readonly type: 'closed'; readonly failure?: string };
