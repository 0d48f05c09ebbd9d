import type { PulledImage, PullStep } from './pull.ts';

/** Where the demo shows what happens. */
export interface DemoOutput {
  write(text: string): void;
  /** Somebody watches: colours and timings make sense. */
  readonly isTerminal: boolean;
}

/** What came of one attempt to pull. */
export type Attempt =
  | { readonly outcome: 'pulled'; readonly image: PulledImage; readonly steps: readonly PullStep[] }
  | {
      readonly outcome: 'refused';
      readonly status: number;
      readonly code: string;
      readonly steps: readonly PullStep[];
    };

/** Tells the story of a demo while it happens. */
export interface Report {
  started(url: string, configuration: string): void;
  attempt(title: string): void;
  step(step: PullStep): void;
  /** `expected`: whether it came as it had to. */
  ended(attempt: Attempt, expected: boolean): void;
  /** Lines that are already as they have to be. */
  next(text: string): void;
}

const GREEN = '\u001b[32m';
const RED = '\u001b[31m';
const DIM = '\u001b[2m';
const PLAIN = '\u001b[0m';
const OUTCOME_COLUMN = 46;
const TIME_COLUMN = 44;

/** Lines for people: with colours and timings on a terminal, the bare words elsewhere. */
export function createTextReport({ write, isTerminal }: DemoOutput): Report {
  const colour = (code: string, text: string): string => (isTerminal ? code + text + PLAIN : text);
  return {
    started: (url, configuration) => {
      write(`Docker Registry Proxy serves ${url}\n`);
      write(`Its upstream is an image layout on disk; the whole configuration is in ${configuration}\n`);
    },
    attempt: (title) => write(`\n${title}\n`),
    step: ({ request, outcome, milliseconds }) => {
      const left = shorten(request).padEnd(OUTCOME_COLUMN);
      const right = isTerminal
        ? `${outcome.padEnd(TIME_COLUMN)} ${colour(DIM, `${milliseconds} ms`)}`
        : outcome;
      write(`  ${left} ${right}\n`);
    },
    ended: (attempt, expected) => {
      const mark = expected ? colour(GREEN, 'as it should be:') : colour(RED, 'NOT AS IT SHOULD BE:');
      write(`  ${mark} ${attemptText(attempt)}\n`);
    },
    next: write,
  };
}

/** Says nothing; for a demo whose result is read by a program. */
export const silentReport: Report = {
  started: () => {},
  attempt: () => {},
  step: () => {},
  ended: () => {},
  next: () => {},
};

function attemptText(attempt: Attempt): string {
  if (attempt.outcome === 'refused') return `refused with ${attempt.status} ${attempt.code}`;
  const { digest, platform, layers, sizeBytes } = attempt.image;
  const amount = `${layers === 1 ? '1 layer' : `${layers} layers`}, ${sizeBytes} bytes`;
  return `pulled ${digest}, for ${platform}: ${amount}`;
}

/** A digest's first characters tell enough. */
function shorten(request: string): string {
  return request.replace(/(sha(?:256|512):[0-9a-f]{8})[0-9a-f]+/, '$1…');
}
