/** Kubelet asked what can't be answered. The message goes to kubelet's log, and never holds a secret. */
export class CredentialProviderError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'CredentialProviderError';
  }
}
