import { unlessAborted } from '../../../core/index.ts';

/** Work that many wait for is done once. */
export interface SingleFlight<T> {
  /**
   * Joins the work that runs under this key, or starts it. Who leaves takes nobody along; the work is aborted when the last
   * one has left.
   * @throws what the work throws; the signal's reason when it is aborted
   */
  run(key: string, signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T>;
  /** Aborts all that runs. */
  close(): void;
}

interface Flight<T> {
  readonly result: Promise<T>;
  readonly controller: AbortController;
  waiting: number;
}

export function createSingleFlight<T>(): SingleFlight<T> {
  const flights = new Map<string, Flight<T>>();

  function start(key: string, work: (signal: AbortSignal) => Promise<T>): Flight<T> {
    const controller = new AbortController();
    const flight: Flight<T> = { controller, waiting: 0, result: work(controller.signal) };
    flights.set(key, flight);
    const end = (): void => {
      if (flights.get(key) === flight) flights.delete(key);
    };
    flight.result.then(end, end);
    return flight;
  }

  return {
    async run(key, signal, work) {
      signal.throwIfAborted();
      const flight = flights.get(key) ?? start(key, work);
      flight.waiting += 1;
      try {
        return await unlessAborted(flight.result, signal);
      } finally {
        flight.waiting -= 1;
        if (flight.waiting === 0) {
          // Whoever comes now starts anew instead of joining what is being given up.
          if (flights.get(key) === flight) flights.delete(key);
          flight.controller.abort(signal.reason);
        }
      }
    },
    close() {
      for (const { controller } of flights.values())
        controller.abort(new Error('the image service is closed'));
      flights.clear();
    },
  };
}
