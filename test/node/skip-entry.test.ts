import path from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { ReplicaNode } from '../../src/index.js';
import type { DataDirectory } from '../../src/log/data-directory.js';
import { openDataDirectory } from '../../src/log/data-directory.js';
import type { Owner } from '../../src/log/identity-file.js';
import { readOwner } from '../../src/log/identity-file.js';
import { NodeDisk, nodeChecksum } from '../../src/log/node-disk.js';
import { skipEntry } from '../../src/node/skip-entry.js';
import { systemClock } from '../../src/node/system-clock.js';
import type { Committed } from '../../src/seams/index.js';
import type { Recovered } from '../../src/seams/log-store.js';
import { Recorder } from '../../src/testing/index.js';
import { asked } from '../log/directory-calls.js';
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

/** The skips that are in the log of a node that is stopped. */
async function skipsOf(dataDir: string): Promise<Recovered['skips']> {
  const disk = new NodeDisk(dataDir, systemClock);
  const { owner } = await asked<{ owner: Owner }>((done) => readOwner(disk, done));
  const { identity, cluster: name, members } = owner;
  const whose = { ...identity, cluster: name, members, makeIncarnation: () => identity.incarnation };
  const { log, unlock } = await asked<DataDirectory>((done) =>
    openDataDirectory({ disk, checksum: nodeChecksum, ...whose }, done),
  );
  const { skips } = await asked<Recovered>((done) => log.open(done));
  await asked((done) => log.close(done));
  await asked((done) => unlock(done));
  return skips;
}

test('a skipped entry is skipped at each start, and is part of the next snapshot, after which it cannot be skipped', async () => {
  const node = await open(new Fussy());
  await node.propose('one');
  const { lastIndex } = node.state.log;
  const halted = new Promise((resolve) => node.actor.on('node.halted', resolve));
  expect(await codeOf(node.propose('poison'))).toBe('QUORATE_OUTCOME_UNKNOWN');
  await halted;
  expect(node.status().members[0]?.haltedBy).toMatch(/apply failed at entry \d+: it is poison/);
  await expect(skipEntry(directory, lastIndex + 1)).rejects.toMatchObject({
    code: 'QUORATE_DATA_LOCKED',
    message: expect.stringMatching(/ is in use by process \d+ on .*: stop that node first, and skip the entry then$/),
  });
  await node.close();

  await expect(skipEntry(directory, lastIndex + 2)).rejects.toMatchObject({ code: 'QUORATE_NOT_FOUND' });
  await expect(skipEntry(directory, 1)).rejects.toMatchObject({
    code: 'QUORATE_NOT_FOUND',
    message: expect.stringMatching('expected entry 1 to be a command, got a no-op'),
  });
  const skipped = await skipEntry(directory, lastIndex + 1);
  expect(skipped).toMatchObject({ id: 'a', index: lastIndex + 1, bytes: 6, already: false });
  expect(await skipEntry(directory, lastIndex + 1)).toEqual({ ...skipped, already: true });
  expect(await skipsOf(directory)).toEqual([expect.objectContaining({ index: lastIndex + 1 })]);

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
