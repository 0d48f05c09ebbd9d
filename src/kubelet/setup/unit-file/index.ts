export { commandInForce, type InForce, type NamedUnitFile, settingsInForce } from './command-in-force.ts';
export { type CommandLine, splitCommandLine } from './command-line.ts';
export { environmentFilesOf, environmentOf, type Variables } from './environment.ts';
export { quoteCommand, quoteWord, requireSafePath } from './quote.ts';
export { type Assignment, parseUnitFile, type UnitFile, UnitFileError } from './unit-file.ts';
