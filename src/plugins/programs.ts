/** What it takes to run a program that speaks another contract than ours. */
export { type Environment, type Program, type Run, runProgram } from './exec/index.ts';
export { redactLines } from './redact.ts';
