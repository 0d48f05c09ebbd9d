export { createUpstreamProbe, type Ping, type ProbeDependencies, type UpstreamProbe } from './probe.ts';
