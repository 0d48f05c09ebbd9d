export { createKubernetesVerifier, type KubernetesDependencies } from './kubernetes-verifier.ts';
export { type KubernetesVerifierOptions, kubernetesVerifierOptions } from './options.ts';
