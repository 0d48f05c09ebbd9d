/** What kubelet writes to the plugin's standard input. */
export function question(image: string, extra: Readonly<Record<string, unknown>> = {}): string {
  return JSON.stringify({
    apiVersion: 'credentialprovider.kubelet.k8s.io/v1',
    kind: 'CredentialProviderRequest',
    image,
    ...extra,
  });
}
