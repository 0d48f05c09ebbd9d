import type { Transport } from './transport.ts';

/** Adds the headers that every request has, and reports how each one ended: a status, or `error`. */
export function instrumented(
  transport: Transport,
  headers: Readonly<Record<string, string>>,
  onEnd: (status: string) => void,
): Transport {
  return {
    request: async (request) => {
      try {
        const answer = await transport.request({ ...request, headers: { ...headers, ...request.headers } });
        onEnd(String(answer.status));
        return answer;
      } catch (error) {
        onEnd('error');
        throw error;
      }
    },
    close: () => transport.close(),
  };
}
