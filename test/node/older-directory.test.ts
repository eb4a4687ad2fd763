import { cpSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { afterEach, expect, test } from '@jest/globals';
import { until } from '../waiting/conditions.js';
import { put, RealNodes, STEADY } from './real-nodes.js';

let nodes: RealNodes;
afterEach(() => nodes.close());

test('a node that comes back with an older copy of its directory is told by the leader what it has lost, and halts', async () => {
  nodes = await RealNodes.start('abc', STEADY);
  const leader = await nodes.leader();
  const directory = path.join(nodes.directory, 'c');
  await leader.propose(put('k', 'before'));
  await nodes.haveTheSameLog();
  await nodes.nodes.get('c')?.close();
  cpSync(directory, `${directory}-older`, { recursive: true });

  const newest = await nodes.open('c', STEADY);
  const had = (await leader.propose(put('k', 'since'))).revision;
  await until(() => leader.state.matchIndex.c === leader.state.log.lastIndex && had === 2);
  const { lastIndex } = leader.state.log;
  await newest.close();
  rmSync(directory, { recursive: true });
  renameSync(`${directory}-older`, directory);

  const older = await nodes.open('c', STEADY);
  await until(() => older.state.role === 'halted');
  expect(older.whyNotReady()?.message).toContain(
    `replica c has lost what it acknowledged: it had all entries up to ${lastIndex}, and has none behind ${lastIndex - 1} now`,
  );
  await leader.propose(put('k', 'later'));
  expect(await nodes.nodes.get('b')?.read((store) => store.get('k')?.revision)).toBe(3);
});
