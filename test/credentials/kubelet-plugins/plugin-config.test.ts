import { describe, expect, it } from 'vitest';
import { CredentialOptionsError } from '../../../src/credentials/index.ts';
import { parsePluginConfig } from '../../../src/credentials/kubelet-plugins/plugin-config.ts';

const read = (text: string) => parsePluginConfig(text, '/etc/kubelet/plugins.yaml');

/** As Amazon's node images have it. */
const ECR = `
apiVersion: kubelet.config.k8s.io/v1
kind: CredentialProviderConfig
providers:
  - name: ecr-credential-provider
    matchImages:
      - "*.dkr.ecr.*.amazonaws.com"
      - "*.dkr-ecr.*.on.aws"
      - "public.ecr.aws"
    defaultCacheDuration: "12h"
    apiVersion: credentialprovider.kubelet.k8s.io/v1
    args: [get-credentials]
    env:
      - { name: AWS_PROFILE, value: node }
`;

describe('CredentialProviderConfig', () => {
  it('is read', () => {
    expect(read(ECR)).toEqual([
      {
        name: 'ecr-credential-provider',
        matchImages: [
          expect.objectContaining({ text: '*.dkr.ecr.*.amazonaws.com' }),
          expect.objectContaining({ text: '*.dkr-ecr.*.on.aws' }),
          expect.objectContaining({ text: 'public.ecr.aws' }),
        ],
        defaultCacheDurationMs: 43_200_000,
        apiVersion: 'credentialprovider.kubelet.k8s.io/v1',
        args: ['get-credentials'],
        env: { AWS_PROFILE: 'node' },
      },
    ]);
  });

  it.each(['v1alpha1', 'v1beta1', 'v1'])('may be of version %s, as JSON too', (version) => {
    const config = {
      kind: 'CredentialProviderConfig',
      apiVersion: `kubelet.config.k8s.io/${version}`,
      providers: [
        {
          name: 'p',
          matchImages: ['*'],
          defaultCacheDuration: '0s',
          apiVersion: `credentialprovider.kubelet.k8s.io/${version}`,
          someLaterKey: 1,
        },
      ],
    };
    expect(read(JSON.stringify(config))).toMatchObject([{ name: 'p', args: [], env: {} }]);
  });

  it('says which plugins want a token', () => {
    const attributes = `    tokenAttributes:
      serviceAccountTokenAudience: docker.example.com
      requireServiceAccount: true
      cacheType: Token`;
    expect(read(ECR + attributes)[0]?.tokenAttributes).toEqual({
      audience: 'docker.example.com',
      required: true,
    });
  });

  it.each([
    ['is no YAML', '{', /is not YAML/],
    ['is of another kind', ECR.replace('CredentialProviderConfig', 'Pod'), /kind/],
    ['is of an unknown version', ECR.replace('k8s.io/v1\n', 'k8s.io/v7\n'), /apiVersion: is not known/],
    ['leaves the folder', ECR.replace('ecr-credential-provider', '../../bin/sh'), /providers\.0\.name/],
    ['names the folder itself', ECR.replace('ecr-credential-provider', '..'), /providers\.0\.name/],
    [
      'has a pattern that is none',
      ECR.replace('public.ecr.aws', 'a b'),
      /matchImages\.2: "a b" is no pattern/,
    ],
    ['has no duration', ECR.replace('12h', '12 hours'), /defaultCacheDuration: "12 hours" is no duration/],
    ['has no plugins', ECR.replace(/providers:.*/s, 'providers: []'), /providers/],
    ['is empty', '', /the whole/],
  ])('that %s is refused', (_case, text, message) => {
    expect(() => read(text)).toThrow(CredentialOptionsError);
    expect(() => read(text)).toThrow(message);
    expect(() => read(text)).toThrow('/etc/kubelet/plugins.yaml');
  });

  it('that names a plugin twice is refused', () => {
    const twice = ECR + ECR.slice(ECR.indexOf('  - name'));
    expect(() => read(twice)).toThrow('names the plugin ecr-credential-provider twice');
  });
});
