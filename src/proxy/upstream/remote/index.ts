export {
  createRegistryUpstream,
  type RegistryUpstreamDependencies,
  type RegistryUpstreamOptions,
} from './registry-upstream.ts';
