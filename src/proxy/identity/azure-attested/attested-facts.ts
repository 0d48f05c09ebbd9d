import { isRecord } from '../../../oci/index.ts';
import { DocumentError } from './document-error.ts';

/** What a document says of a machine. It has to have been verified. */
export interface AttestedFacts {
  readonly nonce: string;
  readonly subscriptionId: string;
  readonly vmId: string;
  readonly sku: string | undefined;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  readonly expiresAt: number;
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const TIME = /^(\d\d)\/(\d\d)\/(\d\d) (\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)$/;

/**
 * @throws {DocumentError}
 * @see https://learn.microsoft.com/azure/virtual-machines/instance-metadata-service#attested-data
 */
export function parseAttestedFacts(content: Buffer): AttestedFacts {
  const facts = parseObject(content);
  const times = isRecord(facts.timeStamp) ? facts.timeStamp : {};
  const [subscriptionId, vmId] = [idOf(facts.subscriptionId), idOf(facts.vmId)];
  const [createdAt, expiresAt] = [timeOf(times.createdOn), timeOf(times.expiresOn)];
  if (typeof facts.nonce !== 'string' || !subscriptionId || !vmId) {
    throw new DocumentError('it names no nonce, no subscription or no machine');
  }
  if (createdAt === undefined || expiresAt === undefined)
    throw new DocumentError('it does not say when it was made');
  const sku = typeof facts.sku === 'string' && facts.sku.length <= 200 ? facts.sku : undefined;
  return { nonce: facts.nonce, subscriptionId, vmId, sku, createdAt, expiresAt };
}

/** `11/28/18 00:16:17 -0000`: month, day, year. */
export function timeOf(value: unknown): number | undefined {
  const parts = typeof value === 'string' ? TIME.exec(value) : null;
  if (!parts) return undefined;
  const [month = 0, day = 0, year = 0, hour = 0, minute = 0, second = 0] = parts.slice(1, 7).map(Number);
  const time = Date.UTC(2000 + year, month - 1, day, hour, minute, second);
  const date = new Date(time);
  // The 31st of February would be some day in March.
  if (
    date.getUTCMonth() !== month - 1 ||
    date.getUTCDate() !== day ||
    hour > 23 ||
    minute > 59 ||
    second > 59
  ) {
    return undefined;
  }
  const offset = (Number(parts[8]) * 60 + Number(parts[9])) * 60_000;
  return parts[7] === '-' ? time + offset : time - offset;
}

function parseObject(content: Buffer): Record<string, unknown> {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(content);
    const value: unknown = JSON.parse(text);
    if (isRecord(value)) return value;
  } catch {
    // Said below: what JSON.parse says quotes the content.
  }
  throw new DocumentError('its content is no JSON object');
}

function idOf(value: unknown): string | undefined {
  const id = typeof value === 'string' ? value.toLowerCase() : '';
  return UUID.test(id) ? id : undefined;
}
