import { ResultCodeError } from 'ldapts';
import { LdapSetupError } from './errors.ts';

const REFERRAL = 10;
const INVALID_CREDENTIALS = 49;

/** Result codes of a bind (RFC 4511, appendix A) that are a no for this account, whichever server is asked. */
const REFUSALS: ReadonlyMap<number, string> = new Map([
  [REFERRAL, 'the server refers to another one, which is not followed'],
  [19, 'the account is locked, or may not log in now'],
  [32, 'no such entry'],
  [48, 'the entry has no password to log in with'],
  [INVALID_CREDENTIALS, 'wrong password, or no such entry'],
  [53, 'the server is unwilling to let this account in'],
]);

/** What Active Directory says behind `data` when it answers with invalidCredentials. */
const ACTIVE_DIRECTORY_REFUSALS: ReadonlyMap<string, string> = new Map([
  ['525', 'no such user'],
  ['52e', 'wrong password'],
  ['530', 'not allowed to log in at this time'],
  ['531', 'not allowed to log in from here'],
  ['532', 'the password has expired'],
  ['533', 'the account is disabled'],
  ['568', 'the user is in too many groups'],
  ['701', 'the account has expired'],
  ['773', 'the password has to be changed first'],
  ['775', 'the account is locked'],
]);

/** Codes that speak of the server and not of what it was asked: operationsError, protocolError, busy and such. */
const SERVER_IS_UNFIT: ReadonlySet<number> = new Set([1, 2, 3, 7, 8, 11, 13, 51, 52, 80]);

/** Why a bind was refused. @returns undefined for an error that is no answer to whether the password is right */
export function refusalOf(error: unknown): string | undefined {
  if (!(error instanceof ResultCodeError)) return undefined;
  const meaning = REFUSALS.get(error.code);
  if (meaning === undefined || error.code !== INVALID_CREDENTIALS) return meaning;
  const [, data = ''] = /\bAcceptSecurityContext error, data ([0-9a-f]{1,8})\b/.exec(error.message) ?? [];
  return ACTIVE_DIRECTORY_REFUSALS.get(data) ?? meaning;
}

/** Whether a search was answered with the address of another server. */
export function isReferral(error: unknown): boolean {
  return error instanceof ResultCodeError && error.code === REFERRAL;
}

/** Whether another server might do better: this one is out of reach, slow, busy, or talks nonsense. */
export function isServerFault(error: unknown): boolean {
  if (error instanceof LdapSetupError) return false;
  return !(error instanceof ResultCodeError) || SERVER_IS_UNFIT.has(error.code);
}
