import { type Browser, chromium } from 'playwright-core';
import { findBinary } from './binaries.ts';

const QUIET = ['--disable-background-networking', '--disable-component-update', '--disable-sync'];

/**
 * Starts Chromium.
 * @param hosts addresses by host name, beside what DNS says: `{ 'docker.example.com': '127.0.0.1:5000' }`
 */
export function startBrowser(hosts: Readonly<Record<string, string>> = {}): Promise<Browser> {
  const rules = Object.entries(hosts).map(([name, address]) => `MAP ${name} ${address}`);
  return chromium.launch({
    executablePath: findBinary('chromium'),
    args: [
      // Root has no other way to run it.
      '--no-sandbox',
      ...QUIET,
      '--disable-features=HttpsUpgrades,HttpsFirstBalancedModeAutoEnable',
      ...(rules.length > 0 ? [`--host-resolver-rules=${rules.join(',')}`] : []),
    ],
  });
}
