import { createArena } from './arena.ts';
import { measureBlobs } from './blobs.ts';
import { measureCredentialProvider } from './credential-provider.ts';
import { measureImageService } from './image-service.ts';
import { measureLogins } from './logins.ts';
import type { Measure } from './measure.ts';
import { measureRest, measureSlowReaders } from './memory.ts';
import { measureFirstByte, measureRequests } from './requests.ts';
import { formatTable, reachesAim } from './table.ts';

const json = process.argv.includes('--json');
const say = (text: string) => void process.stderr.write(`${text}\n`);

say('Measuring for about two minutes. Contestants run in turns; only ratios mean something.');
const arena = await createArena();
const measures: Measure[] = [];
try {
  measures.push(...measureRest(arena));
  say('· blobs');
  measures.push(...(await measureBlobs(arena)));
  say('· requests');
  measures.push(...(await measureRequests(arena)));
  measures.push(...(await measureFirstByte(arena)));
  say('· logins');
  measures.push(...(await measureLogins(arena)));
  say('· exec plugin');
  measures.push(...(await measureCredentialProvider()));
  say('· image service');
  measures.push(...(await measureImageService()));
  say('· slow readers');
  measures.push(...(await measureSlowReaders(arena)));
} finally {
  await arena.close();
}
const results = measures.map((measure) => ({ ...measure, reached: reachesAim(measure) }));
process.stdout.write(json ? `${JSON.stringify(results, null, 2)}\n` : `\n${formatTable(measures)}`);
