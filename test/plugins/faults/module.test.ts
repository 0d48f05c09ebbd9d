import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ownFolder } from '../../support/own-folder.ts';
import { writeModule } from '../module-file.ts';
import { describeFaults, GOOD_CREDENTIAL, GOOD_IDENTITY, SLOW_MS, WRONG_SCHEMA } from './fault-suite.ts';

const MODULE = `
import { appendFileSync, readFileSync } from 'node:fs';

const GIBIBYTE = Array(1024).fill('x'.repeat(1024 * 1024));

export default function create({ folder }) {
  const answer = (question, good) => {
    appendFileSync(folder + '/asked', 'x\\n');
    switch (readFileSync(folder + '/behaviour', 'utf8')) {
      case 'good': return good;
      case 'slow': return new Promise((resolve) => setTimeout(() => resolve(good), ${SLOW_MS}));
      case 'hang': return new Promise(() => {});
      case 'spin': for (;;);
      case 'crash': throw new Error('failed over ' + question.password);
      case 'throw-later': setTimeout(() => { throw new Error('failed over ' + question.password); }); return new Promise(() => {});
      case 'exit': process.exit(0);
      case 'flood': return { identity: { name: 'ada', claims: { text: GIBIBYTE } }, credential: { username: 'acme', password: GIBIBYTE } };
      case 'not-json': return { identity: { name: 'ada', claims: { number: 1n, password: question.password } } };
      default: return ${JSON.stringify(WRONG_SCHEMA)};
    }
  };
  return {
    verify: async (question) => answer(question, question.password === 'bad'
      ? { refused: { reason: 'wrong password' } }
      : { identity: ${JSON.stringify(GOOD_IDENTITY)}, unknown: 1 }),
    credential: async (question) => answer(question, { credential: ${JSON.stringify(GOOD_CREDENTIAL)} }),
  };
}
`;

describeFaults('module', {
  create: async () => {
    const folder = await ownFolder();
    const become = (behaviour: string) => writeFileSync(join(folder, 'behaviour'), behaviour);
    writeFileSync(join(folder, 'asked'), '');
    become('good');
    const { path } = await writeModule(folder, MODULE);
    return {
      options: { type: 'module', file: path, options: { folder } },
      become,
      asked: () => readFileSync(join(folder, 'asked'), 'utf8').split('\n').length - 1,
    };
  },
  codes: {
    hang: 'timeout',
    crash: 'unavailable',
    flood: 'nonsense',
    'not-json': 'nonsense',
    'wrong-schema': 'nonsense',
    spin: 'timeout',
    'throw-later': 'unavailable',
    exit: 'unavailable',
  },
});
