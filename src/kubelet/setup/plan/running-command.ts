import { SetupError } from '../errors.ts';
import type { HostFiles } from '../host/index.ts';
import { changedSinceStart, configPlaces, type LiveKubelet } from '../platform/index.ts';
import {
  commandInForce,
  environmentFilesOf,
  environmentOf,
  splitCommandLine,
  type Variables,
} from '../unit-file/index.ts';
import { decisionInConfigFolder } from './choose-strategy.ts';
import { ENVIRONMENT_FILE } from './names.ts';

const VARIABLE = /^\$([A-Za-z_][A-Za-z0-9_]*)$/;
const PART = /\$\$|\$\{([^}]*)\}|[^$]+|\$/g;
/** Ends each argument, as in `/proc/PID/cmdline`; in a pattern, a digit may follow. */
const END = '\\x00';
const ANY_ARGUMENTS = `(?:[^${END}]*${END})*`;
const ANY_TEXT = `[^${END}]*`;

/**
 * Whether kubelet would be started again as it runs. What others have changed since would go live with our restart, and
 * could not be healed by undoing ours.
 * @throws {SetupError} when it would not
 */
export async function requireRunningAsLoaded(kubelet: LiveKubelet, files: HostFiles): Promise<void> {
  if (kubelet.args.length === 0) return;
  const advice = `systemctl restart ${kubelet.unit}, and see that it is well first`;
  if (!(await runsAsLoaded(kubelet, files))) {
    throw new SetupError(
      'refused',
      `${kubelet.unit} runs with other arguments than systemd would start it with now: ${advice}`,
    );
  }
  const ours = decisionInConfigFolder(kubelet.flags);
  for (const path of (await configPlaces(kubelet.flags, files)).files) {
    if (path === ours || !(await changedSinceStart(path, kubelet, files))) continue;
    throw new SetupError('refused', `${path} was changed since ${kubelet.unit} was started: ${advice}`);
  }
}

async function runsAsLoaded(kubelet: LiveKubelet, files: HostFiles): Promise<boolean> {
  const [[program = '', ...words] = []] = kubelet.state.commands;
  const { prefix } = splitCommandLine(commandInForce(kubelet.files).assignment.value);
  const start = kubelet.args.indexOf(program);
  // Under another name, or behind a program that makes of its arguments what it likes, there is no telling.
  if (start < 0 || /[@:]/.test(prefix)) return true;
  const variables = await loadedVariables(kubelet, files);
  const pattern = words.map((word) => patternOf(word, variables)).join('');
  const running = kubelet.args.slice(start + 1).map((argument) => `${argument}\0`);
  return new RegExp(`^${pattern}$`).test(running.join(''));
}

async function loadedVariables({ files: units }: LiveKubelet, files: HostFiles): Promise<Variables> {
  const paths = environmentFilesOf(units);
  if (paths === undefined) return new Map();
  const theirs = paths.filter((path) => path !== ENVIRONMENT_FILE);
  try {
    const contents = await Promise.all(theirs.map((path) => files.readText(path)));
    return environmentOf(
      units,
      contents.map((text) => text ?? ''),
    );
  } catch {
    // One that we can't read.
    return new Map();
  }
}

/** `$NAME` as a word of its own is split; `$` with braces is not. */
function patternOf(word: string, variables: Variables): string {
  const [, name] = VARIABLE.exec(word) ?? [];
  if (name === undefined) {
    const parts = [...word.matchAll(PART)].map(([part, inner]) => {
      if (part === '$$') return '\\$';
      if (inner === undefined) return literally(part);
      const value = variables.get(inner);
      return value === undefined ? ANY_TEXT : literally(value);
    });
    return `${parts.join('')}${END}`;
  }
  const value = variables.get(name);
  if (value === undefined || /["'\\]/.test(value)) return ANY_ARGUMENTS;
  const words = value.split(/[ \t\r\n]+/).filter((part) => part !== '');
  return words.map((part) => `${literally(part)}${END}`).join('');
}

function literally(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}
