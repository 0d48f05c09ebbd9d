import { expect, it } from 'vitest';
import { environmentFilesOf, environmentOf } from '../../../../src/kubelet/setup/unit-file/index.ts';

const service = (...lines: readonly string[]) => [{ path: '/x', text: `[Service]\n${lines.join('\n')}\n` }];

it('is what the unit says, and then what the files say', () => {
  const unit = service(
    'Environment=\'ARGS=--a=1 --b\' "X=y z" P=%n',
    'Environment=Q=1',
    'EnvironmentFile=-/e',
  );
  const files = ['# a comment\nX="--x=1 --y"\nB=\'q\'\n; another\nC=plain text \n\nD=\n'];
  expect([...environmentOf(unit, files)]).toEqual([
    ['ARGS', '--a=1 --b'],
    ['X', '--x=1 --y'],
    ['P', undefined],
    ['Q', '1'],
    ['B', 'q'],
    ['C', 'plain text'],
    ['D', ''],
  ]);
  expect(environmentFilesOf(unit)).toEqual(['/e']);
});

it.each(['A="--x\nB=c"\n', 'A=a\\\nB=c\n', 'A=\'a\'"b"\nB=c\n', 'export A=1\nB=c\n'])(
  'believes nothing in a file that is not plain: %j',
  (text) => {
    expect(environmentOf([], [text]).get('A')).toBeUndefined();
    expect(environmentOf([], [text]).get('B')).toBeUndefined();
  },
);

it('can not tell what was taken away, nor which files a pattern stands for', () => {
  expect(environmentOf(service('Environment=A=1', 'UnsetEnvironment=A'), []).size).toBe(0);
  expect(environmentOf(service('Environment=A=1', 'Environment='), []).size).toBe(0);
  expect(environmentOf(service('Environment=A=1', 'Environment="A=2'), []).get('A')).toBeUndefined();
  expect(environmentFilesOf(service('EnvironmentFile=/etc/*.env'))).toBeUndefined();
});
