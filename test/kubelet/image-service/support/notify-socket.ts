import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { waitFor } from '../../../support/wait.ts';

/** Receives datagrams, one line each: Node can't. */
const RECEIVER = `
import os, socket, sys
receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
receiver.bind(sys.argv[1])
while True:
    message, descriptors, _, _ = socket.recv_fds(receiver, 4096, 8)
    for descriptor in descriptors:
        os.close(descriptor)
    print(message.decode().replace('\\n', ' '), flush=True)
`;

/** What systemd is where it waits for messages of a service. */
export interface NotifySocket {
  readonly path: string;
  readonly messages: string[];
  close(): void;
}

export async function startNotifySocket(folder: string): Promise<NotifySocket> {
  const path = join(folder, 'notify.sock');
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', '/usr/bin/python3', '-c', RECEIVER, path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const messages: string[] = [];
  let rest = '';
  child.stdout.on('data', (chunk: Buffer) => {
    const lines = `${rest}${chunk}`.split('\n');
    rest = lines.pop() ?? '';
    // The barrier that systemd-notify waits for is none of the service's messages.
    messages.push(...lines.map((line) => line.trim()).filter((line) => !line.startsWith('BARRIER=')));
  });
  await waitFor('the socket for messages', () => existsSync(path) || undefined);
  return { path, messages, close: () => void child.kill('SIGKILL') };
}
