#!/usr/bin/env node
import { createDrp } from './drp.ts';
import { runProgram } from './program.ts';

await runProgram(createDrp(), process.argv.slice(2));
