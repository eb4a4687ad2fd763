/**
 * `npm run test:stress [-- --rounds 5 [paths …]]`: runs the tests that use real processes, sockets, disks or time, several times,
 * beside four busy loops. A test that fails here depends on how fast the machine is, or on no election happening.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';

const BUSY_LOOPS = 4;
/** Folders of test/ whose tests use real processes, sockets, disks or time. */
export const REAL = [
  'client',
  'cluster',
  'contract',
  'development',
  'dns',
  'docs',
  'embedding',
  'golden',
  'hostility',
  'http',
  'inspect',
  'links',
  'log',
  'node',
  'package',
  'pages',
  'replica',
  'testing',
  'transport',
];
/** The others: what they test is pure, or runs on a virtual clock, so that a busy machine changes nothing. */
export const PURE = [
  'architecture',
  'fast-transition',
  'key-value',
  'machines',
  'plain-xstate',
  'raft',
  'report',
  'simulation',
  'waiting',
  'wire',
];
/** A busy machine takes longer for everything; a test that hangs still ends. */
const TEST_TIMEOUT_MS = 300_000;

async function main() {
  const { values, positionals } = parseArgs({
    options: { rounds: { type: 'string', default: '5' } },
    allowPositionals: true,
  });
  const rounds = Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 1)
    throw new Error(`expected --rounds to be a whole number from 1 up, got "${values.rounds}"`);
  const paths = positionals.length > 0 ? positionals : REAL.map((folder) => `test/${folder}/`);
  // Jest takes paths for patterns, and says nothing of one that fits no file where others do.
  const missing = paths.filter((path) => !existsSync(path));
  if (missing.length > 0) throw new Error(`expected paths that are there, got ${missing.join(', ')}`);
  const codes = await runBesideLoops(rounds, paths);
  process.exitCode = codes.every((code) => code === 0) ? 0 : 1;
}

async function runBesideLoops(rounds, paths) {
  // A loop ends with this process, however that ends.
  const loop = `const parent = process.ppid; while (process.ppid === parent) for (let turn = 0; turn < 1e8; turn += 1);`;
  const loops = Array.from({ length: BUSY_LOOPS }, () =>
    spawn(process.execPath, ['--eval', loop], { stdio: 'ignore' }),
  );
  const codes = [];
  for (let round = 1; round <= rounds; round += 1) {
    const startedAt = performance.now();
    const code = await runTests(paths);
    const tookS = Math.round((performance.now() - startedAt) / 1_000);
    codes.push(code);
    process.stdout.write(
      `round ${round} of ${rounds} beside ${BUSY_LOOPS} busy loops: ${code === 0 ? 'passed' : 'failed'} after ${tookS} s\n`,
    );
  }
  for (const one of loops) one.kill();
  return codes;
}

function runTests(paths) {
  const jest = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', 'node_modules/jest/bin/jest.js'];
  const tests = spawn(process.execPath, [...jest, `--testTimeout=${TEST_TIMEOUT_MS}`, ...paths], { stdio: 'inherit' });
  return new Promise((resolve) => tests.once('close', resolve));
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  try {
    await main();
  } catch ({ message }) {
    process.stderr.write(`${message}\n`);
    process.exitCode = 2;
  }
}
