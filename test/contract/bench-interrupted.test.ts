import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { until } from '../waiting/conditions.js';
import { PROGRAM } from './run-command.js';
import { ServedProcesses } from './served-process.js';

let processes: ServedProcesses;

beforeAll(async () => {
  processes = await ServedProcesses.start('a');
});
afterAll(() => processes.close());

test.each([['put'], ['get', '--read']])(
  'Ctrl-C ends a bench of %ss early: what was measured so far is printed, and the exit code says so',
  async (op, ...flags) => {
    const where = ['--endpoints', processes.address('a')];
    const load = ['--seconds', '600', '--warm-up', '0', '--in-flight', '4', '--keys', '10', ...flags];
    const child = spawn(process.execPath, [PROGRAM, 'bench', ...where, ...load]);
    const [out, err]: [string[], string[]] = [[], []];
    child.stdout.on('data', (chunk: Buffer) => void out.push(chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => void err.push(chunk.toString()));
    const closed = once(child, 'close');
    await until(() => new RegExp(`[1-9]\\d* ${op}s/s`).test(err.join('')));
    child.kill('SIGINT');
    expect(await closed).toEqual([130, null]);
    expect(out.join('')).toMatch(/^opsPerSecond +[1-9]\d*$/m);
    expect(out.join('')).toMatch(/^failed +0$/m);
    // Divided by the ten minutes that were asked for, it would be next to nothing.
    const perSecond = Number(/^opsPerSecond +(\d+)$/m.exec(out.join(''))?.[1]);
    const progress = [...err.join('').matchAll(/(\d+) \w+s\/s/g)].map(([, count]) => Number(count));
    expect(perSecond).toBeGreaterThan(Math.max(...progress) / 100);
  },
);
