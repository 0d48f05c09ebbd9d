export {
  guardedLookup,
  type HostLookup,
  type Reach,
  requireSafeUrl,
  systemHostLookup,
  UnsafeAddressError,
} from './address-guard.ts';
export {
  createHttpClient,
  type HttpAnswer,
  type HttpClient,
  type HttpClientOptions,
  type HttpRequest,
} from './http-client.ts';
export { isPublicAddress, literalAddress } from './public-address.ts';
