import { expect, test } from '@jest/globals';
import type { SimulatedReplica } from '../../src/testing/index.js';
import { simulate } from '../../src/testing/index.js';
import { told } from './told.js';

const snapshotsOf = ({ disk }: SimulatedReplica): readonly string[] =>
  disk.files.filter((name) => name.includes('snapshot'));

test.each([1, 2, 3, 4, 5])(
  'a snapshot for which there is no room is given up and removed; log and service go on, and it is taken once there is room (seed %i)',
  (seed) => {
    const cluster = simulate({ seed, snapshotLogBytes: 6_000 }).untilServing();
    const replica = cluster.leader as SimulatedReplica;
    const write = (from: number, count: number): void => {
      for (let number = from; number < from + count; number += 1) {
        const command = `${number} ${'x'.repeat(200)}`;
        cluster.propose(command, replica.id);
        cluster.runUntil(() => cluster.outcomeOf(command) === 'acknowledged', `${number} is acknowledged`);
      }
      cluster.runFor(200);
    };
    write(1, 10);
    expect(snapshotsOf(replica)).toEqual([]);
    // There is no room behind the first 6 kB of an image; the present segments of the log have theirs.
    let written = 0;
    replica.failDisk(({ operation, name }) => {
      if (name !== 'snapshot.tmp' || operation !== 'write') return undefined;
      written += 1;
      return written % 2 === 0 ? 'ENOSPC' : undefined;
    });
    write(11, 30);
    const failures = told(cluster, 'snapshot.failed').filter(({ id }) => id === replica.id);
    expect(failures.length).toBeGreaterThan(1);
    expect(failures[0]?.reason).toContain('ENOSPC');
    expect(snapshotsOf(replica)).toEqual([]);
    expect([replica.role, replica.actor?.getSnapshot().hasTag('full')]).toEqual(['leader', false]);
    replica.mendDisk();
    write(41, 10);
    expect(snapshotsOf(replica)).toHaveLength(1);
    expect(told(cluster, 'snapshot.taken').filter(({ id }) => id === replica.id)).toHaveLength(1);
    cluster.restart(replica.id).untilServing().runFor(500).verify();
  },
);
