import { spawn } from 'node:child_process';
import path from 'node:path';

export const PROGRAM = path.resolve('dist/src/cli/main.js');

export interface Run {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs the command as it is installed; resolves when it ends. */
export function quorate(
  args: readonly string[],
  { input = '', env = {} as Record<string, string> } = {},
): Promise<Run> {
  const child = spawn(process.execPath, [PROGRAM, ...args], { env: { PATH: process.env.PATH ?? '', ...env } });
  let [out, err] = ['', ''];
  child.stdout.setEncoding('latin1').on('data', (chunk: string) => {
    out += chunk;
  });
  child.stderr.on('data', (chunk: Buffer) => {
    err += chunk.toString();
  });
  child.stdin.on('error', () => undefined);
  child.stdin.end(Buffer.from(input, 'latin1'));
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, out, err })));
}
