/** What a probe may know of the machine. */
export interface ProbeContext {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly audience: string;
  readonly signal: AbortSignal;
}

/** What a machine could show, and what it says; never the proof itself. */
export interface Proof {
  /** Type of the verifier that takes it. */
  readonly verifier: string;
  /** Where it came from. */
  readonly source: string;
  readonly claims: Readonly<Record<string, unknown>>;
}

/** Looks for one kind of proof. */
export interface Probe {
  readonly verifier: string;
  readonly source: string;
  /** @throws when there is none, saying why */
  look(context: ProbeContext): Promise<Proof['claims']>;
}

export type ProbeResult =
  | ({ readonly found: true } & Proof)
  | { readonly found: false; readonly verifier: string; readonly source: string; readonly reason: string };

const TIME_LIMIT_MS = 8_000;

/** Runs all at once; none can hold up the others for long. */
export function runProbes(
  probes: readonly Probe[],
  context: Omit<ProbeContext, 'signal'>,
): Promise<ProbeResult[]> {
  return Promise.all(
    probes.map(async ({ verifier, source, look }): Promise<ProbeResult> => {
      const signal = AbortSignal.timeout(TIME_LIMIT_MS);
      try {
        return { found: true, verifier, source, claims: await look({ ...context, signal }) };
      } catch (error) {
        const reason = signal.aborted
          ? `no answer within ${TIME_LIMIT_MS / 1000} s`
          : error instanceof Error
            ? error.message
            : String(error);
        return { found: false, verifier, source, reason };
      }
    }),
  );
}
