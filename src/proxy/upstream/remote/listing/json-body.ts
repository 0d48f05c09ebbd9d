import { isRecord } from '../../../../oci/index.ts';
import { UpstreamError } from '../../errors.ts';

/** @throws {UpstreamError} `faulty` for anything but a JSON object */
export function jsonObject(content: Buffer): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(content.toString('utf8'));
  } catch {
    value = undefined;
  }
  if (!isRecord(value)) throw new UpstreamError('faulty', 'a listing is not a JSON object');
  return value;
}

/** A list in a listing; `null` is an empty one. @throws {UpstreamError} `faulty` for anything else */
export function listIn(value: unknown): readonly unknown[] {
  if (value === null || value === undefined) return [];
  if (!Array.isArray(value)) throw new UpstreamError('faulty', 'a listing holds no list');
  return value;
}
