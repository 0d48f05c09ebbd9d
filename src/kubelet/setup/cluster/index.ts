export { type ApiClient, connectToCluster } from './api-client.ts';
export { readConfigz } from './configz.ts';
export { acquireLease, type HeldLease, type LeaseEnd, type LeaseOptions } from './lease.ts';
