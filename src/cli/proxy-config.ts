import { configFromValue, type Environment, type LoadedConfig, loadConfig } from '../config/index.ts';
import { type ProxyOptions, proxyOptions } from '../proxy/index.ts';
import { findPartProblems } from './part-problems.ts';

/**
 * The configuration of the proxy from a file, checked down to the expressions of the rules and the contents of the
 * files that it names.
 * @throws {ConfigError}
 */
export function loadProxyConfig(
  file: string,
  env: Environment = process.env,
): Promise<LoadedConfig<ProxyOptions>> {
  return loadConfig(file, proxyOptions, { env, check: findPartProblems });
}

/**
 * The same from a value.
 * @param baseDirectory where relative paths start
 * @throws {ConfigError}
 */
export function proxyConfigFromValue(
  value: unknown,
  baseDirectory: string,
): Promise<LoadedConfig<ProxyOptions>> {
  return configFromValue(value, proxyOptions, { env: process.env, baseDirectory, check: findPartProblems });
}
