export {
  createStsVerifier,
  type StsDependencies,
  type StsVerifierOptions,
  stsVerifierOptions,
} from './sts/index.ts';
