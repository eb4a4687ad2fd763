import path from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { ReplicaNode } from '../../src/index.js';
import { skipEntry } from '../../src/node/skip-entry.js';
import type { Committed } from '../../src/seams/index.js';
import { Recorder } from '../../src/testing/index.js';
import { codeOf } from './outcomes.js';
import { RealNodes, STEADY, standForElection } from './real-nodes.js';

class Fussy extends Recorder {
  override apply(batch: readonly Committed<string>[]): readonly number[] {
    if (batch.some(({ command }) => command === 'poison')) throw new Error('it is poison');
    return super.apply(batch);
  }
}

let cluster: RealNodes;
let directory: string;
beforeEach(() => {
  cluster = new RealNodes();
  cluster.peers = { a: '127.0.0.1:0' };
  directory = path.join(cluster.directory, 'a');
});
afterEach(() => cluster.close());

async function open(stateMachine: Recorder): Promise<ReplicaNode<Recorder>> {
  const node = (await cluster.open('a', { ...STEADY, stateMachine } as never)) as unknown as ReplicaNode<Recorder>;
  standForElection(node as never);
  return node;
}

test('a skipped entry is skipped at each start, and is part of the next snapshot, after which it cannot be skipped', async () => {
  const node = await open(new Fussy());
  await node.propose('one');
  const { lastIndex } = node.state.log;
  const halted = new Promise((resolve) => node.actor.on('node.halted', resolve));
  expect(await codeOf(node.propose('poison'))).toBe('QUORATE_OUTCOME_UNKNOWN');
  await halted;
  expect(node.status().members[0]?.haltedBy).toMatch(/apply failed at entry \d+: it is poison/);
  await expect(skipEntry(directory, lastIndex + 1)).rejects.toMatchObject({ code: 'QUORATE_DATA_LOCKED' });
  await node.close();

  await expect(skipEntry(directory, lastIndex + 2)).rejects.toMatchObject({ code: 'QUORATE_NOT_FOUND' });
  const skipped = await skipEntry(directory, lastIndex + 1);
  expect(skipped).toMatchObject({ id: 'a', index: lastIndex + 1, bytes: 6, already: false });
  expect(await skipEntry(directory, lastIndex + 1)).toEqual({ ...skipped, already: true });

  for (const word of ['two', 'three']) {
    const again = await open(new Fussy());
    await again.propose(word);
    if (word === 'three') await again.snapshot();
    await again.close();
  }
  const machine = new Fussy();
  const last = await open(machine);
  await last.waitForLeader();
  expect(machine.commands).toEqual(['one', 'two', 'three']);
  await last.close();
  await expect(skipEntry(directory, lastIndex + 1)).rejects.toMatchObject({
    code: 'QUORATE_NOT_FOUND',
    message: expect.stringMatching(/is in the snapshot at \d+ with what it did/),
  });
});

test('an entry that is not known to be committed is not skipped', async () => {
  const node = await open(new Recorder());
  await node.propose('one');
  const { lastIndex } = node.state.log;
  await node.close();
  // Nothing came behind the last entry that could have said that it is committed.
  await expect(skipEntry(directory, lastIndex)).rejects.toMatchObject({
    code: 'QUORATE_CONFLICT',
    message: expect.stringMatching(/not known here to be committed, only those up to \d+ are/),
  });
});
