import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { normalUserCode } from '../../../src/proxy/web/device-codes.ts';
import { html } from '../../../src/proxy/web/html.ts';
import { localPath } from '../../../src/proxy/web/local-path.ts';
import { shellWord } from '../../../src/proxy/web/pages/new-token-page.ts';
import { runCommand } from '../../support/commands.ts';

describe('html', () => {
  it('lets no text out of its place', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...`<>&"'/= ab`) }), (text) => {
        const { markup } = html`<p title="${text}">${text}</p>`;
        expect(markup).toMatch(/^<p title="[^<>"']*">[^<>"']*<\/p>$/);
        const decoded = markup.slice(markup.indexOf('>') + 1, -4);
        const back = decoded.replace(
          /&(lt|gt|quot|#39|amp);/g,
          (_, name: string) => ({ lt: '<', gt: '>', quot: '"', '#39': "'", amp: '&' })[name] ?? '',
        );
        expect(back).toBe(text);
      }),
    );
  });

  it('takes markup and lists of it as they are, and nothing for nothing', () => {
    expect(
      html`<ul>${['a', '<'].map((item) => html`<li>${item}</li>`)}${undefined}${false}${0}</ul>`.markup,
    ).toBe('<ul><li>a</li><li>&lt;</li>0</ul>');
  });
});

describe('localPath', () => {
  it('never leads to another place, as browsers read it', () => {
    const odd = fc.string({
      unit: fc.constantFrom(
        ...'/\\.:@?#%&=a09 \t\r\n',
        '//',
        '/..',
        '/%2e',
        'evil.example',
        '%2f',
        '%5c',
        'é',
      ),
    });
    fc.assert(
      fc.property(
        fc.oneof(
          odd,
          odd.map((text) => `/${text}`),
          fc.webUrl(),
          fc.string(),
        ),
        (text) => {
          const path = localPath(text, '/account');
          expect(new URL(path, 'https://docker.example.com').origin).toBe('https://docker.example.com');
          expect(path).toMatch(/^\/(?![/\\])[\x21-\x7e]*$/);
        },
      ),
      { numRuns: 500 },
    );
  });

  it.each([
    '/..//evil.example',
    '/.//evil.example',
    '/%2e%2e//evil.example',
    '/a/..//evil.example',
    '//evil.example',
    '/\\evil.example',
    '/\t/evil.example',
    'https://evil.example',
    'javascript:alert(1)',
    '',
    null,
  ])('takes %j for no path', (text) => {
    expect(localPath(text, '/account')).toBe('/account');
  });

  it.each(['/', '/account', '/device?user_code=BCDF-GHJK'])('keeps %s', (path) => {
    expect(localPath(path, '/other')).toBe(path);
  });
});

describe('normalUserCode', () => {
  it.each(['BCDF-GHJK', 'bcdfghjk', ' bcdf ghjk ', 'b-c-d-f-g-h-j-k'])('reads %j', (typed) => {
    expect(normalUserCode(typed)).toBe('BCDF-GHJK');
  });
  it.each(['', 'BCDF-GHJ', 'BCDF-GHJKL', 'ACDF-GHJK', 'BCDF_GHJK', '__proto__'])(
    'takes %j for no code',
    (typed) => {
      expect(normalUserCode(typed)).toBeUndefined();
    },
  );
});

describe('shellWord', () => {
  it.each(['anna', 'anna@example.com', "o'hara", 'a b', '$(id)', '`id`', 'a;b', '*', '-x', 'é'])(
    'is read as %j',
    async (name) => {
      const { stdout } = await runCommand('/bin/sh', ['-c', `printf '%s' ${shellWord(name)}`], {
        home: '/tmp',
        input: '',
        environment: {},
        timeoutMs: 10_000,
      });
      expect(stdout).toBe(name);
    },
  );
});
