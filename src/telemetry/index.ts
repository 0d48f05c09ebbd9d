import type { AuditLog } from './audit.ts';
import type { Logger } from './log.ts';
import type { Metrics } from './metrics.ts';

export { type AuditEntry, type AuditLog, createAuditLog } from './audit.ts';
export { createLogger, LOG_LEVELS, type Logger, type LogLevel } from './log.ts';
export { createMetrics, type Metrics } from './metrics.ts';

/** What a part needs to be seen at work. */
export interface Telemetry {
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly audit: AuditLog;
}
export { type LogOptions, logOptions } from './options.ts';
