import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { createCredentialFiles, keptAnswer } from '../../kubelet/credential-provider/index.ts';
import { DEFAULT_CONFIG } from './default-config.ts';

/**
 * Answers kubelet from what an earlier start has kept, without any of the rest of the program: kubelet starts it for
 * every pull, and loading takes longer than everything else.
 * @returns undefined where the whole program has to look at it: other arguments, nothing kept, no question of kubelet's
 */
export function keptCredential(args: readonly string[], text: string, now: number): string | undefined {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        config: { type: 'string', short: 'c', default: DEFAULT_CONFIG },
        'cache-directory': { type: 'string' },
      },
    });
    const folder = values['cache-directory'];
    if (folder === undefined) return undefined;
    const files = createCredentialFiles(resolve(folder), resolve(values.config), () => []);
    const answer = keptAnswer(text, files, now);
    return answer && JSON.stringify(answer);
  } catch {
    return undefined;
  }
}
