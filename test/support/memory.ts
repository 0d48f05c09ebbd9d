import { readFileSync } from 'node:fs';

const BYTES_PER_KIB = 1024;

/** Resident memory of a process, now and at its highest, in bytes. */
export function readMemory(pid: number): { readonly nowBytes: number; readonly peakBytes: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const field = (name: string) => {
    const [, kib] = new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status) ?? [];
    return Number(kib) * BYTES_PER_KIB;
  };
  return { nowBytes: field('VmRSS'), peakBytes: field('VmHWM') };
}
