import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { RealNodes, STEADY } from '../node/real-nodes.js';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'quorate-readme-'));
  mkdirSync(path.join(directory, 'node_modules'));
  symlinkSync(path.resolve('.'), path.join(directory, 'node_modules', 'quorate'));
  symlinkSync(path.resolve('node_modules/xstate'), path.join(directory, 'node_modules', 'xstate'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** What a document prints between its marks. */
function exampleIn(file: string, name: string): string {
  const marked = new RegExp(`<!-- example: ${name} -->\\n\`\`\`js\\n([\\s\\S]*?)\`\`\`\\n<!-- end of example -->`);
  return marked.exec(readFileSync(file, 'utf8'))?.[1] ?? '';
}

/**
 * Runs it as somebody's program, with the package in its node_modules. Gives what it prints, and where it fails its errors, too. What a node
 * warns of on a busy machine, such as an election that took two terms, is no part of what the document says.
 */
async function run(code: string): Promise<readonly [number | null, string]> {
  writeFileSync(path.join(directory, 'example.mjs'), code);
  const child = spawn(process.execPath, ['example.mjs'], { cwd: directory });
  let [printed, errors] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => {
    printed += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    errors += chunk.toString();
  });
  const exitCode = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return [exitCode, exitCode === 0 ? printed : printed + errors];
}

test("the README's example of an embedded node runs as it is printed, and ends by itself", async () => {
  const code = exampleIn('README.md', 'embed');
  expect(code.split('\n').filter((line) => line !== '')).toHaveLength(12);
  expect(await run(code)).toEqual([0, 'hello 1 leader\n']);
});

test('the node that docs/agents.md embeds is one that runs, as a cluster of one', async () => {
  const [, code = ''] = /```js\n([\s\S]*?)```/.exec(readFileSync('docs/agents.md', 'utf8')) ?? [];
  const alone = code.replace(/\{ n1: .* \};.*/, "{ n1: '127.0.0.1:0' };");
  expect(alone).not.toBe(code);
  expect(await run(`${alone}\nconsole.log(result.revision === entry.revision);`)).toEqual([0, 'true\n']);
});

test("the guide's client runs as it is printed, but for the address", async () => {
  const nodes = await RealNodes.start('abc', STEADY);
  try {
    await nodes.leader();
    const code = exampleIn('docs/guide.md', 'client');
    const here = code.replace('connect();', `connect(['${nodes.peers.b}']);`);
    expect(here).not.toBe(code);
    expect(await run(here)).toEqual([0, "hello true\nQUORATE_CONFLICT true\n[ 'greeting' ]\n"]);
  } finally {
    await nodes.close();
  }
});

test("the guide's simulation of a state machine runs as it is printed", async () => {
  expect(await run(exampleIn('docs/guide.md', 'simulate'))).toEqual([0, '5 pending\ntrue\n']);
});

test("the guide's conformance suite runs as it is printed", async () => {
  const [exitCode, printed] = await run(exampleIn('docs/guide.md', 'conformance'));
  expect([exitCode, printed.match(/^(?:#|ℹ) (?:pass|fail) .*$/gm)?.map((line) => line.slice(2))]).toEqual([
    0,
    ['pass 11', 'fail 0'],
  ]);
});

test("the guide's statechart tests run as they are printed", async () => {
  const [exitCode, printed] = await run(exampleIn('docs/guide.md', 'statechart tests'));
  expect([exitCode, printed.replaceAll(/\s+/g, ' ')]).toEqual([
    0,
    "Set(6) { 'recovering', 'halted', 'follower', 'candidate preCandidate', 'candidate', 'leader' } { active: { leader: 'serving' } } 2 true ",
  ]);
});

test('the reference explains every error code, and nothing that is none', () => {
  const source = readFileSync('src/errors/quorate-error.ts', 'utf8');
  // Some codes stand there twice: where they are declared, and among those that may be asked again.
  const codes = new Set([...source.matchAll(/'QUORATE_([A-Z_]+)'/g)].map(([, code]) => code));
  const explained = [...readFileSync('docs/reference.md', 'utf8').matchAll(/^\| ([A-Z_]{6,}) \|/gm)].map(
    ([, code]) => code,
  );
  expect([...explained].sort()).toEqual([...codes].sort());
});

test('the reference has every command and every flag of serve', () => {
  const program = path.resolve('dist/src/cli/main.js');
  const helpOf = (...args: string[]): string =>
    execFileSync(process.execPath, [program, ...args, '--help'], { encoding: 'utf8' });
  const reference = readFileSync('docs/reference.md', 'utf8');
  const commands = [...helpOf().matchAll(/^ {2}(\w+) \[options\]/gm)].map(([, command]) => command as string);
  expect(commands.length).toBeGreaterThan(8);
  for (const command of commands) expect(reference).toContain(`quorate ${command}`);
  const later = ['join', 'help', 'json'];
  const settings = ['election-timeout-min', 'election-timeout-max', 'heartbeat-interval', 'max-missed-heartbeats'];
  const flags = [...helpOf('serve').matchAll(/^ +(?:-\w, )?--([a-z-]+)/gm)].map(([, flag]) => flag as string);
  for (const flag of flags.filter((one) => ![...later, ...settings].includes(one)))
    expect(reference).toContain(`--${flag}`);
});

test('docs/pitfalls.md has every pitfall that code, tests and mutants cite by number', () => {
  const folders = ['src', 'actors', 'machines', 'transport', 'test', 'tools/mutants', 'docs'];
  const texts = folders.flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((file) => /\.(ts|json|md)$/.test(file))
      .map((file) => readFileSync(path.join(folder, file), 'utf8')),
  );
  const cited = new Set(texts.flatMap((text) => text.match(/\bP[1-9]\d?\b/g) ?? []));
  const listed = new Set(readFileSync('docs/pitfalls.md', 'utf8').match(/(?<=^\| )P\d+(?= \|)/gm));
  expect(cited.size).toBeGreaterThan(30);
  expect([...cited].filter((number) => !listed.has(number))).toEqual([]);
});
