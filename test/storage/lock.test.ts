import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Interface } from 'node:readline';
import { createInterface } from 'node:readline';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { buildSync } from 'esbuild';
import { systemClock } from '../../src/replica-node/system-clock.js';
import type { DiskError } from '../../src/seams/disk.js';
import { NodeDisk } from '../../src/storage/node-disk.js';

const ground = mkdtempSync(path.join(tmpdir(), 'quorate-lock-'));
const program = path.join(ground, 'lock-holder.mjs');
/** A lock of a process that is gone. */
const DEAD = JSON.stringify({ pid: 1, boot: 'an earlier one', startedAt: '1', nonce: '' });
let directory: string;
let holders: Holder[] = [];

/** Another process that asks for the lock. */
class Holder {
  readonly child: ChildProcess;
  readonly #lines: Interface;
  readonly #said: AsyncIterator<string>;

  constructor() {
    this.child = spawn(process.execPath, [program, directory], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#lines = createInterface({ input: this.child.stdout as NodeJS.ReadableStream });
    this.#said = this.#lines[Symbol.asyncIterator]();
    holders.push(this);
  }

  ask(command: 'lock' | 'unlock'): Promise<string> {
    this.child.stdin?.write(`${command}\n`);
    return this.says();
  }

  async says(): Promise<string> {
    return (await this.#said.next()).value ?? 'nothing';
  }

  async kill(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const exit = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await exit;
  }
}

async function readyHolder(): Promise<Holder> {
  const holder = new Holder();
  expect(await holder.says()).toBe('ready');
  return holder;
}

function lock(disk = new NodeDisk(directory, systemClock)): DiskError | undefined {
  const answers: (DiskError | undefined)[] = [];
  disk.lock((error) => answers.push(error));
  expect(answers).toHaveLength(1);
  return answers[0];
}

const lockFile = (): string => path.join(directory, 'lock');

beforeAll(() => {
  buildSync({
    entryPoints: [path.join(process.cwd(), 'test/storage/lock-holder.ts')],
    bundle: true,
    platform: 'node',
    format: 'esm',
    outfile: program,
  });
});
beforeEach(() => {
  directory = mkdtempSync(path.join(ground, 'data-'));
});
afterEach(async () => {
  await Promise.all(holders.map((holder) => holder.kill()));
  holders = [];
});
afterAll(() => rmSync(ground, { recursive: true }));

describe('the lock of a data directory', () => {
  test('keeps a second process out, and tells it who holds it', async () => {
    const holder = await readyHolder();
    expect(await holder.ask('lock')).toBe('locked');
    expect(lock()).toMatchObject({
      code: 'QUORATE_DATA_LOCKED',
      message: expect.stringContaining(`in use by process ${holder.child.pid}`),
    });
    expect(await holder.ask('unlock')).toBe('unlocked');
    expect(lock()).toBeUndefined();
    expect(await holder.ask('lock')).toContain('QUORATE_DATA_LOCKED');
  });

  test('keeps a second node of the same process out', () => {
    const first = new NodeDisk(directory, systemClock);
    expect(lock(first)).toBeUndefined();
    expect(lock()).toMatchObject({ code: 'QUORATE_DATA_LOCKED' });
    expect(lock(first)).toMatchObject({ code: 'QUORATE_DATA_LOCKED' });
    first.unlock(() => undefined);
    expect(lock()).toBeUndefined();
  });

  test('does not outlive a process that was killed', async () => {
    const holder = await readyHolder();
    expect(await holder.ask('lock')).toBe('locked');
    await holder.kill();
    expect(lock()).toBeUndefined();
  });

  test.each(['startedAt', 'boot'])('does not count when its process id was given out again (another %s)', (field) => {
    const earlier = new NodeDisk(directory, systemClock);
    expect(lock(earlier)).toBeUndefined();
    const held = JSON.parse(readFileSync(lockFile(), 'utf8')) as Record<string, unknown>;
    expect(held.pid).toBe(process.pid);
    writeFileSync(lockFile(), JSON.stringify({ ...held, [field]: 'another' }));
    expect(lock()).toBeUndefined();
  });

  test.each(['', '{', 'null', '{"pid":"x"}'])('torn by a power cut (%j) does not count', (content) => {
    writeFileSync(lockFile(), content);
    expect(lock()).toBeUndefined();
  });

  test('is made together with a directory that is missing', () => {
    directory = path.join(directory, 'a', 'b');
    expect(lock()).toBeUndefined();
    expect(readdirSync(directory)).toEqual(['lock']);
  });

  test('a taker that died while it took a stale lock over holds nobody up; one that lives does', async () => {
    const takeover = `${lockFile()}.${createHash('sha256').update(DEAD).digest('hex').slice(0, 12)}`;
    const alive = new NodeDisk(directory, systemClock);
    expect(lock(alive)).toBeUndefined();
    const living = readFileSync(lockFile(), 'utf8');
    writeFileSync(lockFile(), DEAD);
    writeFileSync(takeover, living);
    expect(lock()).toMatchObject({ code: 'QUORATE_DATA_LOCKED' });
    writeFileSync(takeover, DEAD.replace('""', '"taker"'));
    expect(lock()).toBeUndefined();
    expect(readdirSync(directory)).toEqual(['lock']);
  });

  test('left by a dead process is taken over by exactly one of many that try at once', async () => {
    const takers = await Promise.all(Array.from({ length: 5 }, readyHolder));
    for (let round = 0; round < 40; round += 1) {
      writeFileSync(lockFile(), DEAD.replace('""', `"${round}"`));
      const answers = await Promise.all(takers.map((taker) => taker.ask('lock')));
      expect(answers.filter((answer) => answer === 'locked')).toHaveLength(1);
      expect(answers.filter((answer) => answer.startsWith('QUORATE_DATA_LOCKED'))).toHaveLength(4);
      await Promise.all(takers.map((taker, at) => (answers[at] === 'locked' ? taker.ask('unlock') : undefined)));
    }
  });
});
