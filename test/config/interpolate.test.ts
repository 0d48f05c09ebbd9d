// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables in a configuration file look like this
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { interpolate } from '../../src/config/interpolate.ts';

const env = { HOST: 'hub.example.com', PORT: '5000', EMPTY: '', NESTED: '${HOST}' };

test.each([
  ['https://${HOST}:${PORT}/', 'https://hub.example.com:5000/'],
  ['${PORT}', '5000'],
  ['${EMPTY}', ''],
  ['$${HOST}', '${HOST}'],
  ['$$${HOST}', '$${HOST}'],
  ['$HOST and {name} and $', '$HOST and {name} and $'],
  ['${NESTED}', '${HOST}'],
])('%s becomes %s', (text, expected) => {
  expect(interpolate(text, env)).toMatchObject({ value: expected, findings: [] });
});

test('values are reached at any depth, keys are not', () => {
  const { value } = interpolate({ '${HOST}': [{ port: '${PORT}', count: 3, none: null }] }, env);
  expect(value).toEqual({ '${HOST}': [{ port: '5000', count: 3, none: null }] });
});

test('a variable that is not set is named, with the place', () => {
  const { findings } = interpolate({ a: ['x', '${MISSING}'] }, env);
  expect(findings).toEqual([{ path: ['a', 1], message: 'the environment has no variable MISSING; set it' }]);
});

test.each(['${toString}', '${constructor}'])('%s is not found on the prototype', (text) => {
  expect(interpolate(text, env).findings).toHaveLength(1);
});

test.each(['${', '${}', '${a b}', '${A-B}', '${HOST', '${1A}'])('%s is refused', (text) => {
  expect(interpolate(text, env).findings).toMatchObject([
    { message: expect.stringContaining('expected ${NAME}') },
  ]);
});

test('a value of the environment is taken out of a message again', () => {
  const { hide } = interpolate(['${SECRET}', '${PORT}'], { ...env, SECRET: 'hunter2$&' });
  expect(hide('there is no upstream hunter2$& on 5000')).toBe('there is no upstream ${SECRET} on ${PORT}');
});

test('text without a dollar sign stays as it is', () => {
  fc.assert(
    fc.property(
      fc.string().filter((text) => !text.includes('$')),
      (text) => {
        expect(interpolate(text, env).value).toBe(text);
      },
    ),
  );
});

test('any text can be written by escaping it', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('$', '{', '}', 'A') }), (text) => {
      expect(
        interpolate(
          text.replaceAll('${', () => '$${'),
          {},
        ),
      ).toMatchObject({ value: text, findings: [] });
    }),
  );
});
