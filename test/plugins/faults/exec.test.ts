import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ownFolder } from '../../support/own-folder.ts';
import { describeFaults, GOOD_CREDENTIAL, GOOD_IDENTITY, SLOW_MS, WRONG_SCHEMA } from './fault-suite.ts';

/** Answers `describe`; anything else as the file `behaviour` says. Writes what it is asked to standard error, too. */
const SCRIPT = `
folder=$1
read -r question
case $question in *'"describe"'*) echo '{}'; exit;; esac
echo "asked $question" >&2
echo x >>"$folder/asked"
behaviour=$(cat "$folder/behaviour")
if [ "$behaviour" = slow ]; then sleep ${SLOW_MS / 1000}; behaviour=good; fi
case $behaviour in
  good)
    case $question in
      *'"credential"'*) echo '${JSON.stringify({ credential: GOOD_CREDENTIAL })}' ;;
      *'"password":"bad"'*) echo '{"refused":{"reason":"wrong password"}}' ;;
      *) echo '${JSON.stringify({ identity: GOOD_IDENTITY, unknown: 1 })}' ;;
    esac ;;
  hang) sleep 1000 ;;
  crash) printf '{"identity":{"na'; kill -9 $$ ;;
  flood) head -c 1073741824 /dev/zero ;;
  not-json) echo "oops $question" ;;
  wrong-schema) echo '${JSON.stringify(WRONG_SCHEMA)}' ;;
esac
`;

describeFaults('exec', {
  create: async () => {
    const folder = await ownFolder();
    const become = (behaviour: string) => writeFileSync(join(folder, 'behaviour'), behaviour);
    writeFileSync(join(folder, 'asked'), '');
    become('good');
    return {
      options: { type: 'exec', command: ['/bin/sh', '-c', SCRIPT, 'plugin', folder] },
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
  },
});
