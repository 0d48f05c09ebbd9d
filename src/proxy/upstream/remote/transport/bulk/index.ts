export { type BulkTransportOptions, createBulkTransport } from './bulk-transport.ts';
