import { expect, it } from 'vitest';
import { mediaTypes } from '../../src/oci/index.ts';
import { createSite, getToken, runProxy, withToken } from './support/running-proxy.ts';
import { SAMPLE_MANIFEST, sendBlob, startFakeRegistry } from './upstream/support/fake-registry.ts';

const ODD_HEADERS: Record<string, string> = {
  'set-cookie': 'session=canary',
  'x-repository': 'canary/private-name',
  'www-authenticate': 'Basic realm="canary"',
  'docker-upload-uuid': 'canary',
  warning: '299 - "canary"',
  server: 'canary',
  via: 'canary',
  'x-powered-by': 'canary',
  'strict-transport-security': 'max-age=1; canary',
  'access-control-allow-origin': 'https://canary.example',
  'content-security-policy': "default-src 'canary'",
  'content-disposition': 'attachment; filename=canary',
  refresh: '0; url=https://canary.example',
  ...Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`x-odd-${index}`, 'canary'])),
};

it('of all that an upstream puts into its headers, only what the protocol needs comes through', async () => {
  const upstream = await startFakeRegistry();
  const digest = upstream.addManifest(SAMPLE_MANIFEST, mediaTypes.OCI_MANIFEST, 'v1');
  const blob = Buffer.from('layer');
  const blobDigest = upstream.addBlob(blob);
  upstream.script((request, response) => {
    for (const [name, value] of Object.entries(ODD_HEADERS)) response.setHeader(name, value);
    if (!request.url?.includes('/blobs/')) return false;
    sendBlob(blob, request, response);
    return true;
  });
  const site = await createSite();
  const { proxy, url } = await runProxy(
    await site.options({ upstreams: { odd: { url: upstream.origin } }, routes: [{ upstream: 'odd' }] }),
  );
  try {
    const { token } = await getToken(url, 'anna', 'scope=repository:team/app:pull');
    for (const path of [
      'manifests/v1',
      `manifests/${digest}`,
      `blobs/${blobDigest}`,
      'manifests/none',
      'tags/list',
    ]) {
      for (const method of ['GET', 'HEAD']) {
        const answer = await fetch(`${url}/v2/team/app/${path}`, { method, headers: withToken(token) });
        await answer.arrayBuffer();
        const known =
          /^(?:accept-ranges|allow|connection|content-length|content-type|date|docker-content-digest|docker-distribution-api-version|etag|keep-alive|x-content-type-options|x-request-id)$/;
        expect(
          [...answer.headers.keys()].filter((name) => !known.test(name)),
          `${method} ${path}`,
        ).toEqual([]);
        expect(JSON.stringify([...answer.headers])).not.toContain('canary');
      }
    }
  } finally {
    await proxy.close();
    await site.remove();
  }
});
