export { Budget } from './budget.ts';
export { createRateLimitGauges } from './gauges.ts';
export { type RateLimit, readRateLimit } from './rate-limit.ts';
