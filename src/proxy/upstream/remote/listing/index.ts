export { Listings } from './listings.ts';
export { Referrers } from './referrers.ts';
