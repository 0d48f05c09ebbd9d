export { type GuardOptions, type GuardResult, runGuard } from './run-guard.ts';
