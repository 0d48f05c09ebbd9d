import type { Clock, Secret } from '../../../core/index.ts';
import { explainDocument } from '../azure-attested/index.ts';
import type { VerifierOptions } from '../options.ts';
import type { Outcome, Verifier } from '../verifier.ts';
import { documentSteps, stsSteps } from './aws-steps.ts';
import { tokenSteps } from './token-steps.ts';

/** One thing that was looked at. `cannot-tell`: it could not be. */
export interface ExplainedStep {
  readonly step: string;
  readonly result: 'yes' | 'no' | 'cannot-tell';
  /** Never holds any part of a signature or of a secret. */
  readonly detail: string;
}

export interface ExplainedLogin {
  readonly steps: readonly ExplainedStep[];
  readonly outcome: Outcome;
}

/**
 * Says of a credential what a verifier would, and which of the checks it passes on the way. The verifier has the last word:
 * the steps before explain it, and decide nothing.
 */
export async function explainLogin(
  options: VerifierOptions,
  verifier: Verifier,
  credential: { readonly username: string; readonly password: Secret },
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<ExplainedLogin> {
  const steps = [...tokenSteps(options, credential.password, clock.now())];
  steps.push(...(await proofSteps(options, credential.password, clock)));
  const outcome = await verifier.verify(credential, signal);
  steps.push(lastStep(outcome));
  return { steps, outcome };
}

async function proofSteps(
  options: VerifierOptions,
  password: Secret,
  clock: Clock,
): Promise<ExplainedStep[]> {
  switch (options.type) {
    case 'azure-attested':
      return attestedSteps(options, password, clock);
    case 'aws-sts':
      return stsSteps(options, password);
    case 'aws-iid':
      return documentSteps(options, password);
    default:
      return [];
  }
}

async function attestedSteps(
  options: Extract<VerifierOptions, { type: 'azure-attested' }>,
  password: Secret,
  clock: Clock,
): Promise<ExplainedStep[]> {
  const steps: ExplainedStep[] = [];
  try {
    await explainDocument(options, password, clock, (step, detail) => {
      steps.push({ step, result: 'yes', detail });
    });
  } catch (error) {
    const isNo = error instanceof Error && error.name === 'DocumentError';
    const detail = error instanceof Error ? error.message : String(error);
    steps.push({ step: 'document', result: isNo ? 'no' : 'cannot-tell', detail });
  }
  return steps;
}

function lastStep(outcome: Outcome): ExplainedStep {
  if (outcome.type === 'identity') {
    return { step: 'verdict', result: 'yes', detail: `it is ${outcome.identity.name}` };
  }
  return {
    step: 'verdict',
    result: outcome.type === 'refused' ? 'no' : 'cannot-tell',
    detail: outcome.reason,
  };
}
