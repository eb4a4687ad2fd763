/** A real cluster of three processes on disk, and load on it from a process of its own. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { capture } from './process.mjs';

const PROGRAM = fileURLToPath(new URL('../dist/src/cli/main.js', import.meta.url));
const PORT = 7651;

export async function startQuorate(directory) {
  const data = path.join(directory, 'quorate');
  rmSync(data, { recursive: true, force: true });
  mkdirSync(data, { recursive: true });
  const child = spawn(process.execPath, [PROGRAM, 'cluster', '--port', String(PORT), '--data', data]);
  let printed = '';
  await new Promise((resolve, reject) => {
    child.stdout.on('data', (chunk) => {
      printed += chunk;
      if (/^ready$/m.test(printed)) resolve();
    });
    child.once('close', (code) => reject(new Error(`quorate cluster ended with ${code}: ${printed}`)));
  });
  const pids = [...printed.matchAll(/pid (\d+)/g)].map(([, pid]) => Number(pid));
  const endpoint = `127.0.0.1:${PORT}`;
  const endpoints = pids.map((_, at) => `127.0.0.1:${PORT + at}`);
  const leaderPid = Number(/pid (\d+) {2}leader/.exec(printed)?.[1]);
  return {
    name: 'quorate',
    pids,
    leaderPid,
    endpoints,
    load: ({ op, inFlight, size, seconds, warmUp }) => {
      const flags = [
        '--in-flight',
        inFlight,
        '--size',
        size,
        '--seconds',
        seconds,
        '--warm-up',
        warmUp,
        ...(op === 'get' ? ['--read'] : []),
      ];
      return capture(process.execPath, [PROGRAM, 'bench', ...flags.map(String), '--json', '--endpoints', endpoint]);
    },
    stop: async () => {
      child.removeAllListeners('close');
      const closed = once(child, 'close');
      child.kill('SIGTERM');
      await closed;
      rmSync(data, { recursive: true, force: true });
    },
  };
}
