#!/usr/bin/env node
import { text } from 'node:stream/consumers';
import { credentialFolder } from './credential-helper/credential-files.ts';
import { runCredentialHelper } from './credential-helper/run-credential-helper.ts';

/** `docker-credential-drp`: `"credsStore": "drp"` in Docker's configuration. */
const { output, exitCode } = await runCredentialHelper(
  process.argv.slice(2),
  () => text(process.stdin),
  credentialFolder(process.env),
);
process.stdout.write(output);
process.exitCode = exitCode;
