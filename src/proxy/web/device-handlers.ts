import type { Logger } from '../../telemetry/index.ts';
import type { DeviceCodes } from './device-codes.ts';
import { pageAnswer } from './page.ts';
import { deviceCodePage, deviceConfirmPage, deviceDonePage } from './pages/device-page.ts';
import type { Tally } from './tally.ts';
import type { SignedInHandler, Visitor } from './visitor.ts';
import type { WebAnswer, WebRequest } from './web-request.ts';

export interface DeviceHandlersDependencies {
  readonly codes: DeviceCodes;
  /** Wrong codes, by person. */
  readonly mistakes: Tally;
  readonly log: Logger;
}

const WRONG_CODE = 'This code is not known, or has ended. Codes are good for ten minutes.';
const TOO_MANY = 'Too many codes were wrong. Try again in ten minutes.';

/** `/device`: somebody who is signed in lets a terminal in. */
export function createDeviceHandlers({ codes, mistakes, log }: DeviceHandlersDependencies) {
  const common = ({ person, session }: Visitor) => ({ name: person.name, formToken: session.formToken });

  /** Codes are short: whoever could try many would find somebody else's terminal. */
  async function wrongCode(request: WebRequest, visitor: Visitor, userCode: string): Promise<WebAnswer> {
    const open = await mistakes.count(visitor.session.personId);
    const problem = open ? WRONG_CODE : TOO_MANY;
    return pageAnswer(request, open ? 422 : 429, deviceCodePage({ ...common(visitor), userCode, problem }));
  }

  const show: SignedInHandler = async (request, visitor) => {
    const userCode = (request.query.get('user_code') ?? '').slice(0, 12);
    return pageAnswer(request, 200, deviceCodePage({ ...common(visitor), userCode }));
  };

  const look: SignedInHandler = async (request, visitor) => {
    const typed = request.form?.get('user_code') ?? '';
    const isOpen = await mistakes.isOpen(visitor.session.personId);
    const found = isOpen ? await codes.find(typed) : undefined;
    if (!found) return wrongCode(request, visitor, typed.slice(0, 12));
    const { userCode, label, client, created } = found;
    const page = deviceConfirmPage({ ...common(visitor), userCode, label, client, created });
    return pageAnswer(request, 200, page);
  };

  const confirm: SignedInHandler = async (request, visitor) => {
    const typed = request.form?.get('user_code') ?? '';
    const approved = request.form?.get('decision') === 'approve';
    const { session, signIn, person } = visitor;
    const { personId } = session;
    const isOpen = await mistakes.isOpen(personId);
    const decision = approved ? { verifier: signIn.verifier, personId } : 'denied';
    if (!isOpen || !(await codes.decide(typed, decision)))
      return wrongCode(request, visitor, typed.slice(0, 12));
    log.info({ verifier: signIn.verifier, name: person.name, approved }, 'a terminal was decided on');
    return pageAnswer(request, 200, deviceDonePage({ ...common(visitor), approved }));
  };

  return { show, look, confirm };
}
