/**
 * `npm run test:stress [-- --rounds 5 [paths …]]`: runs the tests that use real processes, sockets, disks or time, several times,
 * beside four busy loops. A test that fails here depends on how fast the machine is, or on no election happening.
 */
import { spawn } from 'node:child_process';
import { parseArgs } from 'node:util';

const BUSY_LOOPS = 4;
/** Everything but what is pure or runs on a virtual clock: test/raft, machines, codec, simulation, state-machines, house. */
const REAL = [
  'client',
  'cluster',
  'contract',
  'docs',
  'embedding',
  'hostility',
  'inspect',
  'package',
  'replica-node',
  'storage',
  'transport',
];
/** A busy machine takes longer for everything; a test that hangs still ends. */
const TEST_TIMEOUT_MS = 300_000;

const { values, positionals } = parseArgs({
  options: { rounds: { type: 'string', default: '5' } },
  allowPositionals: true,
});
const rounds = Number(values.rounds);
if (!Number.isInteger(rounds) || rounds < 1) {
  process.stderr.write(`expected --rounds to be a whole number from 1 up, got "${values.rounds}"\n`);
  process.exit(2);
}
const paths = positionals.length > 0 ? positionals : REAL.map((folder) => `test/${folder}/`);

// A loop ends with this process, however that ends.
const loop = `const parent = process.ppid; while (process.ppid === parent) for (let turn = 0; turn < 1e8; turn += 1);`;
const loops = Array.from({ length: BUSY_LOOPS }, () => spawn(process.execPath, ['--eval', loop], { stdio: 'ignore' }));

const results = [];
for (let round = 1; round <= rounds; round += 1) {
  const startedAt = performance.now();
  const code = await runTests();
  const tookS = Math.round((performance.now() - startedAt) / 1_000);
  results.push(code);
  process.stdout.write(
    `round ${round} of ${rounds} beside ${BUSY_LOOPS} busy loops: ${code === 0 ? 'passed' : 'failed'} after ${tookS} s\n`,
  );
}
for (const one of loops) one.kill();
process.exitCode = results.every((code) => code === 0) ? 0 : 1;

function runTests() {
  const jest = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', 'node_modules/jest/bin/jest.js'];
  const tests = spawn(process.execPath, [...jest, `--testTimeout=${TEST_TIMEOUT_MS}`, ...paths], { stdio: 'inherit' });
  return new Promise((resolve) => tests.once('close', resolve));
}
