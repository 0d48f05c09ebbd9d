import { expect, test } from 'vitest';
import { demoCommand } from '../../../src/cli/demo.ts';

test.each(['-1', '65536', 'http', '5000x', ''])('--port %j is refused', async (port) => {
  const command = demoCommand()
    .exitOverride()
    .configureOutput({ writeErr: () => {} });
  await expect(command.parseAsync(['--port', port], { from: 'user' })).rejects.toMatchObject({
    code: 'commander.invalidArgument',
  });
});

test('the help has an example and says what the exit codes mean', () => {
  let help = '';
  demoCommand()
    .configureOutput({ writeOut: (text) => (help += text) })
    .outputHelp();
  expect(help).toContain('drp demo --port');
  expect(help).toContain('Exit codes: 0');
});
