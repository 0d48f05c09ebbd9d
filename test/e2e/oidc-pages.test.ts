import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { CLIENT_ID, CLIENT_SECRET, startOidcProvider } from '../servers/oidc-provider.ts';
import { startBrowser } from '../support/browser.ts';
import { PAGE_PROBLEMS } from '../support/page-problems.ts';
import { findFreePort } from '../support/ports.ts';
import { startProxy } from '../support/proxy.ts';
import { useResources } from '../support/resources.ts';

const HOST = 'docker.example.com';
/** With DRP_SCREENSHOTS=1 the pictures of the documentation are made anew. */
const PICTURES = process.env.DRP_SCREENSHOTS === '1' ? 'docs/images' : undefined;
const WIDTHS = { narrow: 320, wide: 800 };

describe('the sign-in and token pages', () => {
  const keep = useResources();

  it.each(['light', 'dark'] as const)('can be read, %s, on wide and narrow screens', async (colorScheme) => {
    const provider = keep(await startOidcProvider({ 'sub-anna': { name: 'anna', groups: ['platform'] } }));
    const port = await findFreePort();
    const proxy = keep(
      await startProxy({
        server: { address: `127.0.0.1:${port}`, publicUrl: `http://${HOST}` },
        upstreams: { hub: { url: 'https://registry.example.net' } },
        routes: [{ upstream: 'hub' }],
        authentication: {
          verifiers: [
            {
              name: 'staff',
              type: 'oidc',
              title: 'Acme',
              issuer: provider.issuer,
              clientId: CLIENT_ID,
              clientSecret: CLIENT_SECRET,
              authorizationParameters: { prompt: 'consent' },
            },
          ],
        },
      }),
    );
    provider.register(`http://${HOST}/login/callback`);
    const browser = keep(await startBrowser({ [HOST]: `127.0.0.1:${port}` }));
    const page = await browser.newPage({ colorScheme, viewport: { width: WIDTHS.wide, height: 520 } });
    const complaints: string[] = [];
    page.on('console', (message) => complaints.push(message.text()));

    await page.goto(`http://${HOST}/login`);
    await look(page, 'sign-in', colorScheme);
    await page.getByRole('link', { name: 'Sign in with Acme' }).click();
    await page.getByLabel('Subject').fill('sub-anna');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByLabel('Name').fill('build box');
    await page.getByRole('button', { name: 'Make token' }).click();
    await page.getByRole('link', { name: 'Back to your tokens' }).click();
    await page.getByLabel('Name').fill('laptop');
    await page.getByRole('button', { name: 'Make token' }).click();
    await look(page, 'new-token', colorScheme);
    await page.getByRole('link', { name: 'Back to your tokens' }).click();
    await look(page, 'tokens', colorScheme);

    const body = new URLSearchParams({ device_name: 'drp login on build-box' });
    const begun = await fetch(`${proxy.url}/device/code`, { method: 'POST', body });
    const { verification_uri_complete: uri } = (await begun.json()) as { verification_uri_complete: string };
    await page.goto(uri);
    await look(page, 'terminal-code', colorScheme);
    await page.getByRole('button', { name: 'Continue' }).click();
    await look(page, 'terminal-confirm', colorScheme);
    await page.getByRole('button', { name: 'Let it in' }).click();
    await look(page, 'terminal-done', colorScheme);
    expect(complaints.filter((text) => !/favicon|status of 404/.test(text))).toEqual([]);
  });

  async function look(page: Page, name: string, colorScheme: string): Promise<void> {
    for (const width of Object.values(WIDTHS)) {
      await page.setViewportSize({ width, height: 520 });
      expect([name, await page.evaluate(PAGE_PROBLEMS)]).toEqual([name, []]);
      expect([name, await page.evaluate('document.documentElement.scrollWidth')]).toEqual([name, width]);
    }
    if (PICTURES === undefined) return;
    await mkdir(PICTURES, { recursive: true });
    await writeFile(join(PICTURES, `${name}-${colorScheme}.png`), await page.screenshot({ fullPage: true }));
  }
});
