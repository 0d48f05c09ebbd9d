/** The arguments of a running kubelet. */
export interface KubeletFlags {
  /** All values of a flag, in order; kubelet takes the last. */
  all(name: string): readonly string[];
  last(name: string): string | undefined;
}

/** @param args with the program's own name first, as in `/proc/PID/cmdline` */
export function readKubeletFlags(args: readonly string[]): KubeletFlags {
  const values = new Map<string, string[]>();
  for (const [index, argument] of args.entries()) {
    const match = /^--?([a-z][a-z0-9-]*)(?:=(.*))?$/s.exec(argument);
    if (index === 0 || !match) continue;
    const name = match[1] ?? '';
    const next = args[index + 1];
    const value = match[2] ?? (next !== undefined && !next.startsWith('--') ? next : '');
    values.set(name, [...(values.get(name) ?? []), value]);
  }
  const all = (name: string): readonly string[] => values.get(name) ?? [];
  return { all, last: (name) => all(name).at(-1) };
}

/** Splits `/proc/PID/cmdline`. */
export function splitArguments(text: string): string[] {
  return text.replace(/\0$/, '').split('\0');
}
