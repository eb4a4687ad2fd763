/**
 * Breaks one rule at a time in a copy of this repository, and runs the tests that should notice. A mutant that survives is a
 * rule that no test holds: the exit code is 1. The mutants lie in `tools/mutants/*.json`; `build` says of one that its tests start
 * processes, which run what was built.
 *
 * `npm run mutants`, or `npm run mutants -- --only follow --jobs 2 --list`
 */
import { execFileSync, spawn } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';

/** A mutant that loops for ever is noticed, too. */
const MOST_MS = 240_000;

const { values: flags } = parseArgs({
  options: {
    only: { type: 'string', multiple: true, default: [''] },
    jobs: { type: 'string', default: '2' },
    list: { type: 'boolean', default: false },
    'skip-unchanged': { type: 'boolean', default: false },
  },
});
/** The jest runs that are under way. */
const children = new Set();
const root = path.resolve(import.meta.dirname, '..');
const mutants = readMutants().filter(({ name, file }) => flags.only.some((text) => `${file} ${name}`.includes(text)));
const problems = mutants.flatMap(problemWith);
if (problems.length > 0) {
  console.error(problems.join('\n'));
  process.exit(1);
}
if (flags.list) {
  for (const { name, file } of mutants) console.log(`${file}: ${name}`);
  process.exit(0);
}
await main();

async function main() {
  const jobs = Number(flags.jobs);
  const startedAtMs = Date.now();
  const directory = mkdtempSync(path.join(tmpdir(), 'quorate-mutants-'));
  process.once('exit', () => {
    for (const child of children) process.kill(-child.pid, 'SIGKILL');
    rmSync(directory, { recursive: true, force: true });
  });
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));
  const copies = Array.from({ length: jobs }, (_, at) => copyInto(path.join(directory, String(at))));
  if (!flags['skip-unchanged']) await requireCleanRun(copies[0]);
  const results = new Array(mutants.length);
  let next = 0;
  const work = async (copy) => {
    for (let at = next++; at < mutants.length; at = next++) {
      results[at] = await tryMutant(copy, mutants[at]);
      console.log(lineFor(results[at]));
    }
  };
  await Promise.all(copies.map(work));
  const survivors = results.filter(({ killedBy }) => killedBy === undefined);
  const seconds = Math.round((Date.now() - startedAtMs) / 1_000);
  console.log(
    `\n${results.length} mutants, ${results.length - survivors.length} killed, ${survivors.length} survived; ${seconds} s`,
  );
  for (const { mutant } of survivors) console.log(`survived: ${mutant.file}: ${mutant.name}`);
  if (survivors.length > 0) process.exitCode = 1;
}

function readMutants() {
  const folder = path.join(root, 'tools', 'mutants');
  const files = readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .sort();
  return files.flatMap((name) => JSON.parse(readFileSync(path.join(folder, name), 'utf8')));
}

/** A text that does not occur, or occurs twice, would break nothing, or nobody knows what. */
function problemWith({ name, file, find, replace, tests }) {
  if (![name, file, find].every((text) => typeof text === 'string' && text !== '') || typeof replace !== 'string') {
    return [`${file}: ${name}: expected name, file, find and replace to be texts`];
  }
  if (!existsSync(path.join(root, file))) return [`${file}: ${name}: there is no such file`];
  const times = readFileSync(path.join(root, file), 'utf8').split(find).length - 1;
  const problems =
    times === 1 ? [] : [`${file}: ${name}: the text to find occurs ${times} times, expected once:\n  ${find}`];
  for (const test of tests ?? []) {
    const [testFile] = test.split('#');
    if (!existsSync(path.join(root, testFile))) problems.push(`${file}: ${name}: there is no ${testFile}`);
  }
  if (!Array.isArray(tests) || tests.length === 0) problems.push(`${file}: ${name}: expected the tests to run`);
  return problems;
}

/** What git knows of, with the working tree's changes; dependencies are shared. */
function copyInto(directory) {
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: root });
  for (const file of listed.toString().split('\0')) {
    if (file === '' || !existsSync(path.join(root, file))) continue;
    mkdirSync(path.dirname(path.join(directory, file)), { recursive: true });
    cpSync(path.join(root, file), path.join(directory, file));
  }
  symlinkSync(path.join(root, 'node_modules'), path.join(directory, 'node_modules'));
  if (mutants.some(({ build }) => build)) buildIn(directory);
  return directory;
}

/** Tests that fail by themselves would kill every mutant. */
async function requireCleanRun(copy) {
  const all = [...new Set(mutants.flatMap(({ tests }) => tests.map((test) => test.split('#')[0])))];
  console.log(`without a mutant: ${all.length} test files`);
  let failed;
  for (const project of new Set(all.map(projectOf))) {
    const files = all.filter((file) => projectOf(file) === project);
    failed ??= (await runJest(copy, files, undefined, MOST_MS * 4)).failed;
  }
  if (failed === undefined) return;
  console.error(`a test fails without any mutant: ${failed}`);
  process.exit(1);
}

async function tryMutant(copy, mutant) {
  const startedAtMs = Date.now();
  const file = path.join(copy, mutant.file);
  const original = readFileSync(file, 'utf8');
  writeFileSync(file, original.split(mutant.find).join(mutant.replace));
  try {
    if (mutant.build) buildIn(copy);
    for (const test of mutant.tests) {
      const [testFile, name] = test.split('#');
      const { failed } = await runJest(copy, [testFile], name, MOST_MS);
      if (failed !== undefined) return { mutant, killedBy: failed, tookMs: Date.now() - startedAtMs };
    }
    return { mutant, killedBy: undefined, tookMs: Date.now() - startedAtMs };
  } finally {
    writeFileSync(file, original);
    if (mutant.build) buildIn(copy);
  }
}

/** For tests that start processes: those run what was built. Types don't matter here. */
function buildIn(copy) {
  try {
    execFileSync('npx', ['tsc', '-p', 'tsconfig.build.json'], { cwd: copy, stdio: 'ignore' });
  } catch {
    // A mutant may break a type; it is emitted all the same.
  }
  execFileSync(process.execPath, ['tools/build-pages.mjs'], { cwd: copy, stdio: 'ignore' });
}

/** The project of jest.config.mjs that runs a test file, where several may. */
function projectOf(file) {
  return /^test\/(development|plain-xstate)\//.exec(file)?.[1] ?? 'production';
}

/** The full name of the first test that fails; undefined where all pass. */
async function runJest(copy, files, name, mostMs) {
  const outcome = path.join(copy, 'outcome.json');
  rmSync(outcome, { force: true });
  const args = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', 'node_modules/jest/bin/jest.js'];
  args.push(
    `--selectProjects=${projectOf(files[0])}`,
    '--runInBand',
    '--bail',
    '--silent',
    `--reporters=${path.join(copy, 'tools/first-failure.mjs')}`,
  );
  if (name !== undefined) args.push('-t', name);
  args.push('--runTestsByPath', ...files);
  // A group of its own, so that whatever a test has started ends with it.
  const child = spawn(process.execPath, args, {
    cwd: copy,
    stdio: 'ignore',
    detached: true,
    env: { ...process.env, FIRST_FAILURE_FILE: outcome },
  });
  children.add(child);
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    process.kill(-child.pid, 'SIGKILL');
  }, mostMs);
  const exitCode = await new Promise((resolve) => child.once('exit', resolve));
  clearTimeout(timer);
  children.delete(child);
  if (isLate) return { failed: `no end within ${mostMs / 1_000} s` };
  // A mutant may use up the memory: a signal ends jest then. Otherwise it found nothing to run.
  if (!existsSync(outcome) && exitCode === 1) throw new Error(`jest ran nothing of ${files.join(' ')}`);
  if (!existsSync(outcome)) return { failed: `jest ended with ${exitCode}, and told nothing` };
  const { passed, first } = JSON.parse(readFileSync(outcome, 'utf8'));
  if (first === undefined && passed === 0) throw new Error(`no test of ${files.join(' ')} is called ${name}`);
  if (first === undefined) return { failed: undefined };
  if (/SyntaxError|Syntax Error/.test(first.message ?? '')) throw new Error(`not a program: ${first.message}`);
  return { failed: first.test };
}

function lineFor({ mutant, killedBy, tookMs }) {
  const what = `${mutant.file}: ${mutant.name}`;
  return killedBy === undefined
    ? `SURVIVED  ${what} (${tookMs} ms)`
    : `killed    ${what}\n            by: ${killedBy} (${tookMs} ms)`;
}
