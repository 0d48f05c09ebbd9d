/** Where tokens of version 1 come from; the host differs by cloud. */
const VERSION_1_HOSTS: Readonly<Record<string, string>> = {
  'login.chinacloudapi.cn': 'sts.chinacloudapi.cn',
  'login.partner.microsoftonline.cn': 'sts.chinacloudapi.cn',
};
const VERSION_1_HOST = 'sts.windows.net';

/** The issuers of a tenant's tokens, of both versions; exact. */
export function issuersOf(authority: string, tenant: string): readonly string[] {
  const base = authority.replace(/\/$/, '');
  const host = VERSION_1_HOSTS[new URL(authority).hostname] ?? VERSION_1_HOST;
  return [`https://${host}/${tenant}/`, `${base}/${tenant}/v2.0`];
}

/** A tenant's key set. */
export function keySetUrlOf(authority: string, tenant: string): string {
  return `${authority.replace(/\/$/, '')}/${tenant}/discovery/v2.0/keys`;
}
