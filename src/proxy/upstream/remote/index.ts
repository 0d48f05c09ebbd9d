export { createUpstreamProbe, type Ping, type ProbeDependencies, type UpstreamProbe } from './probe/index.ts';
export {
  createRegistryUpstream,
  type RegistryUpstreamDependencies,
  type RegistryUpstreamOptions,
} from './registry-upstream.ts';
