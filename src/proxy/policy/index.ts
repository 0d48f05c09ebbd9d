export { createPolicy, RuleError } from './create-policy.ts';
export { type AuthorizationOptions, authorizationOptions } from './options.ts';
export { ACTIONS, type Action, type Decision, type Policy, type RuleVerdict } from './policy.ts';
