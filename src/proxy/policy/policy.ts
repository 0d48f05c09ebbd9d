import type { RepositoryName } from '../../oci/index.ts';
import type { Identity } from '../identity/index.ts';

/** What a rule can allow. */
export const ACTIONS = ['pull', 'push', 'delete'] as const;
export type Action = (typeof ACTIONS)[number];

export interface Decision {
  readonly allowed: boolean;
  /** Name of the rule that granted it. */
  readonly rule: string | undefined;
}

/** What one rule said, for `drp explain`. */
export interface RuleVerdict {
  readonly rule: string;
  readonly granted: boolean;
  /** Why, in words: which of `when`, `repositories` and `actions` matched or did not. */
  readonly reason: string;
}

/** Decides who may do what; compiled once from the rules, without state. */
export interface Policy {
  /** Default deny: allowed only when a rule grants it. `repository` is the name as the client asked for it. */
  decide(identity: Identity, repository: RepositoryName, action: Action): Decision;
  /** Asks every rule, also those behind one that granted. */
  explain(identity: Identity, repository: RepositoryName, action: Action): readonly RuleVerdict[];
}
