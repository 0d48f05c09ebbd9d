export { type ApiClient, connectToCluster } from './api-client.ts';
export { readConfigz } from './configz.ts';
export { acquireLease, type HeldLease, type LeaseOptions } from './lease.ts';
