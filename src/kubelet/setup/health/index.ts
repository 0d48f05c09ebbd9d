export { compareAnswers } from './compare-answers.ts';
export { type CriProbe, createCriProbe, type ImageAnswers } from './cri-probe.ts';
export { type HealthDependencies, type HealthTiming, waitUntilHealthy } from './kubelet-health.ts';
