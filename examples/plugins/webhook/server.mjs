// A plugin behind a URL. Configured by the environment:
//   SECRET_FILE                        what requests are signed with
//   HOST, PORT                         127.0.0.1 and 8443 when missing
//   CERTIFICATE_FILE and KEY_FILE      for https; without, plain http, which the proxy only takes on its own machine
import { createHmac, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { openDirectory } from '../directory/directory.mjs';

const { SECRET_FILE, HOST = '127.0.0.1', PORT = '8443', CERTIFICATE_FILE, KEY_FILE } = process.env;
const MAXIMUM_AGE_SECONDS = 300;
const MAXIMUM_BODY_BYTES = 1024 * 1024;

const secret = readFileSync(SECRET_FILE, 'utf8').replace(/\r?\n$/, '');
const directory = openDirectory(new URL('../directory/', import.meta.url));

/** Whether the proxy signed this very body a moment ago. */
export function isSigned(header, body, nowSeconds) {
  const fields = new Map((header ?? '').split(',').map((field) => field.split('=', 2)));
  const time = fields.get('t') ?? '';
  if (!/^\d+$/.test(time) || Math.abs(nowSeconds - Number(time)) > MAXIMUM_AGE_SECONDS) return false;
  const expected = createHmac('sha256', secret).update(`${time}.`).update(body).digest();
  const shown = Buffer.from(fields.get('v1') ?? '', 'hex');
  return shown.length === expected.length && timingSafeEqual(shown, expected);
}

function answer(question) {
  if (question.describe) return { renew: true };
  if (question.verify) return directory.verify(question.verify);
  if (question.renew) return directory.renew(question.renew);
  if (question.credential) return directory.credential(question.credential);
  return { error: { message: 'an unknown question' } };
}

async function handle(request, response) {
  const chunks = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > MAXIMUM_BODY_BYTES) return response.writeHead(413).end();
    chunks.push(chunk);
  }
  const body = Buffer.concat(chunks);
  if (!isSigned(request.headers['drp-signature'], body, Date.now() / 1000)) return response.writeHead(401).end();
  const text = JSON.stringify(answer(JSON.parse(body.toString())));
  response.writeHead(200, { 'content-type': 'application/json' }).end(text);
}

const listener = (request, response) => {
  handle(request, response).catch((error) => {
    console.error(error.message);
    response.writeHead(500).end();
  });
};
const server = CERTIFICATE_FILE
  ? createHttpsServer({ cert: readFileSync(CERTIFICATE_FILE), key: readFileSync(KEY_FILE) }, listener)
  : createHttpServer(listener);
server.listen(Number(PORT), HOST, () => {
  const { address, port } = server.address();
  console.log(`listening on ${CERTIFICATE_FILE ? 'https' : 'http'}://${address}:${port}`);
});
