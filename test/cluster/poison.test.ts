import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { quorate } from '../contract/run-command.js';
import { ProcessCluster } from './process-cluster.js';

let cluster: ProcessCluster;

beforeEach(async () => {
  cluster = new ProcessCluster();
  await cluster.start();
});

afterEach(() => cluster.close());

const directoryOf = (id: string): string => path.join(cluster.directory, id);
const logOf = (id: string): string => readFileSync(`${directoryOf(id)}.log`, 'utf8');
const linesOf = (id: string, event: string) =>
  logOf(id)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))
    .filter((line) => line.event === event);

/** Proposes at the leader until it is acknowledged. */
async function write(text: string): Promise<void> {
  for (;;) {
    const [done] = (await cluster.propose(await cluster.leader(), [text])) ?? [];
    if (done?.outcome === 'acknowledged') return;
  }
}

const others = (id: string): readonly string[] => cluster.ids.filter((one) => one !== id);

test('P39 a replica that left out a command halts, and those that go on name it; a restart makes its state anew', async () => {
  for (const text of ['one', 'two', 'three']) await write(text);
  await cluster.allApplied();
  const wrong = others(await cluster.leader())[0] as string;
  await cluster.forget(wrong);
  const reason = await cluster.halted(wrong);
  expect(reason).toMatch(
    new RegExp(`^the state of replica ${wrong} differs from that of n. and n.: after entry \\d+ its hash is`),
  );
  await write('four');
  for (const id of others(wrong)) expect(linesOf(id, 'halted')).toMatchObject([{ peer: wrong, reason }]);
  await cluster.stop(wrong);
  await cluster.run(wrong);
  await cluster.allApplied();
  expect((await cluster.report(wrong)).ids).toEqual(['one', 'two', 'three', 'four']);
});

test('where a leader left out a command, the leader halts, and another one leads', async () => {
  for (const text of ['one', 'two', 'three']) await write(text);
  await cluster.allApplied();
  const leader = await cluster.leader();
  await cluster.forget(leader);
  expect(await cluster.halted(leader)).toContain(`the state of replica ${leader} differs`);
  await write('four');
  for (const id of others(leader)) expect(linesOf(id, 'halted')).toMatchObject([{ peer: leader }]);
});

test('a command that no state machine takes halts all; skipped on all, they serve again, with the same state', async () => {
  for (const text of ['one', 'two']) await write(text);
  await cluster.allApplied();
  await cluster.propose(await cluster.leader(), ['poison']);
  const reasons = await Promise.all(cluster.ids.map((id) => cluster.halted(id)));
  const index =
    /^the state machine's apply failed at entry (\d+): it is poison. Its command is "poison" \(6 bytes\)/.exec(
      reasons[0] as string,
    )?.[1] as string;
  expect(new Set(reasons).size).toBe(1);

  const locked = await quorate(['skip', index, '--data', directoryOf('n1')]);
  expect([locked.code, locked.err]).toEqual([1, expect.stringMatching(/locked|in use|another process/i)]);
  await Promise.all(cluster.ids.map((id) => cluster.stop(id)));

  // Without it, a start ends in the same way.
  await Promise.all(cluster.ids.map((id) => cluster.run(id)));
  expect(new Set(await Promise.all(cluster.ids.map((id) => cluster.halted(id))))).toEqual(new Set(reasons));
  await Promise.all(cluster.ids.map((id) => cluster.stop(id)));

  await wrongUses(Number(index));
  for (const id of cluster.ids) {
    const skipped = await quorate(['skip', index, '--data', directoryOf(id), '--json']);
    expect(JSON.parse(skipped.out)).toMatchObject({ id, index: Number(index), bytes: 6, already: false });
  }
  const again = await quorate(['skip', index, '--data', directoryOf('n2')]);
  expect([again.code, again.out]).toEqual([0, expect.stringContaining('was skipped already')]);

  await Promise.all(cluster.ids.map((id) => cluster.run(id)));
  await write('three');
  await cluster.allApplied();
  const reports = await Promise.all(cluster.ids.map((id) => cluster.report(id)));
  expect(reports.map(({ ids }) => ids)).toEqual(cluster.ids.map(() => ['one', 'two', 'three']));
  expect(new Set(reports.map(({ hash }) => hash)).size).toBe(1);
  for (const id of cluster.ids) expect(linesOf(id, 'skipped')).toMatchObject([{ index: Number(index) }]);
});

test('a command that no state machine takes halts all; a release of it that takes the command, started on all, serves again', async () => {
  for (const text of ['one', 'two']) await write(text);
  await cluster.allApplied();
  await cluster.propose(await cluster.leader(), ['poison']);
  await Promise.all(cluster.ids.map((id) => cluster.halted(id)));
  await Promise.all(cluster.ids.map((id) => cluster.stop(id)));
  await Promise.all(cluster.ids.map((id) => cluster.run(id, { TAKES_POISON: '1' })));
  await write('three');
  await cluster.allApplied();
  const reports = await Promise.all(cluster.ids.map((id) => cluster.report(id)));
  expect(reports.map(({ ids }) => ids)).toEqual(cluster.ids.map(() => ['one', 'two', 'three']));
  expect(cluster.ids.flatMap((id) => linesOf(id, 'skipped'))).toEqual([]);
});

async function wrongUses(index: number): Promise<void> {
  const uses: readonly [args: string[], code: number, message: RegExp][] = [
    [['0', '--data', directoryOf('n1')], 2, /expected INDEX to be a whole number from 1/],
    [['x', '--data', directoryOf('n1')], 2, /expected INDEX to be a whole number from 1/],
    [[String(index)], 2, /--data/],
    [[String(index), '--data', cluster.directory], 2, /expected --data to be the data directory of one node, got/],
    [['1000', '--data', directoryOf('n1')], 1, /expected an entry of this log, which ends at \d+, got 1000/],
    [['1', '--data', directoryOf('n1')], 1, /expected entry 1 to be a command, got a no-op/],
  ];
  for (const [args, code, message] of uses) {
    const used = await quorate(['skip', ...args]);
    expect([args, used.code, used.err]).toEqual([args, code, expect.stringMatching(message)]);
  }
}
