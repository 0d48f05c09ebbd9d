import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import { loadConfig } from '../../config/index.ts';
import { systemClock } from '../../core/index.ts';
import { createProxy, proxyOptions } from '../../proxy/index.ts';
import { createAuditLog, createLogger, createMetrics } from '../../telemetry/index.ts';

export interface DemoProxy {
  readonly url: string;
  readonly adminUrl: string;
  close(): Promise<void>;
}

/** Starts a proxy in this process, just as `drp serve` would with this file, with its log in `logFile`. */
export async function startDemoProxy(configFile: string, logFile: string): Promise<DemoProxy> {
  const { value } = await loadConfig(configFile, proxyOptions, { env: {} });
  const logStream = createWriteStream(logFile, { mode: 0o600 });
  const log = createLogger(value.log.level, logStream);
  const proxy = await createProxy(value, {
    clock: systemClock,
    random: Math.random,
    telemetry: { log, metrics: createMetrics(), audit: createAuditLog(log) },
  });
  const close = async (): Promise<void> => {
    await proxy.close();
    logStream.end();
    await finished(logStream);
  };
  try {
    return { ...(await proxy.listen()), close };
  } catch (error) {
    await close();
    throw error;
  }
}
