import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { findConfigFile } from '../../src/cli/config-file.ts';
import { createDrp } from '../../src/cli/drp.ts';
import { run } from './run-program.ts';

const commands = createDrp().commands.map((command) => command.name());

describe('help', () => {
  test.each(commands)('drp %s --help has an example and the exit codes', async (command) => {
    const { out, exitCode } = await run([command, '--help']);
    expect(out).toContain(`Usage: drp ${command}`);
    expect(out).toMatch(/^Examples?:$/m);
    expect(out).toContain(`  drp ${command} `);
    expect(out).toMatch(/^Exit codes: 0 /m);
    expect(exitCode).toBe(0);
  });

  test('drp --help lists all commands', async () => {
    const { out, exitCode } = await run(['--help']);
    for (const command of ['serve', 'check', 'explain', 'demo'])
      expect(out).toMatch(new RegExp(`^  ${command} `, 'm'));
    expect(exitCode).toBe(0);
  });

  test('without a command, help is printed and that counts as wrong use', async () => {
    const { error, exitCode } = await run([]);
    expect(error).toContain('Usage: drp');
    expect(exitCode).toBe(2);
  });
});

test('--version is that of the package', async () => {
  const text = await readFile(join(import.meta.dirname, '../../package.json'), 'utf8');
  expect(await run(['--version'])).toEqual({
    out: (JSON.parse(text) as { version: string }).version,
    error: '',
    exitCode: 0,
  });
});

describe('wrong use is one line and exit code 2', () => {
  test.each([
    [['chek'], "drp: unknown command 'chek'; did you mean check?; see drp --help"],
    [['check', '--jsn'], "drp: unknown option '--jsn'; did you mean --json?; see drp --help"],
    [['explain'], "drp: missing required argument 'repository'; see drp --help"],
    [['check', '--config'], "drp: option '-c, --config <file>' argument missing; see drp --help"],
  ])('%j', async (args, line) => {
    expect(await run(args)).toEqual({ out: '', error: line, exitCode: 2 });
  });
});

describe('which configuration file', () => {
  const exists =
    (...files: string[]) =>
    (path: string) =>
      files.includes(path);
  test('the one that is named, then DRP_CONFIG, then the defaults', () => {
    expect(findConfigFile('a.yaml', { DRP_CONFIG: 'b.yaml' }, exists('drp.yaml'))).toBe('a.yaml');
    expect(findConfigFile(undefined, { DRP_CONFIG: 'b.yaml' }, exists('drp.yaml'))).toBe('b.yaml');
    expect(findConfigFile(undefined, { DRP_CONFIG: '' }, exists('drp.yaml', '/etc/drp/drp.yaml'))).toBe(
      'drp.yaml',
    );
    expect(findConfigFile(undefined, {}, exists('/etc/drp/drp.yaml'))).toBe('/etc/drp/drp.yaml');
  });

  test('none at all says what to do', () => {
    expect(() => findConfigFile(undefined, {}, exists())).toThrow('name the file with --config FILE');
  });
});
