import { expect, test } from '@jest/globals';
import type { DiskDone, DiskError } from '../../src/seams/index.js';
import type { ConformanceCase } from '../../src/testing/index.js';
import {
  ConformanceFailure,
  diskConformance,
  diskPowerCutConformance,
  knownPeersConformance,
  stateMachineSnapshotConformance,
} from '../../src/testing/index.js';
import {
  AnswersForTheBatch,
  answersAtOnce,
  CapturesLate,
  CountsNoWaitingBytes,
  clocks,
  commands,
  connectionsWith,
  diskWith,
  EncodesIntoOneBuffer,
  ForgetsTheVote,
  filesWith,
  forgetful,
  KeepsBytes,
  KnowsTheLast,
  logStores,
  NeverClears,
  NeverUsed,
  ReadsTheClock,
  RunsAtOnce,
  stateMachines,
  trusting,
} from './broken-twins.js';

const nothing = (): void => undefined;
const tellTwice = (done: DiskDone, error: DiskError | undefined): void => {
  done(error);
  done(error);
};

/** The cases that fail, and what the first of them says. */
async function failures(cases: readonly ConformanceCase[]): Promise<{ names: string[]; first: Error | undefined }> {
  const names: string[] = [];
  let first: Error | undefined;
  for (const { name, run } of cases) {
    await run().catch((error: Error) => {
      names.push(name);
      first ??= error;
    });
  }
  return { names, first };
}

test.each<[string, readonly ConformanceCase[], readonly string[]]>([
  ['a log store that forgets its vote', logStores(() => new ForgetsTheVote()), ['P1 term and vote come back together']],
  [
    'a log store that counts no waiting bytes',
    logStores(() => new CountsNoWaitingBytes()),
    ['P36 what waits for the disk is counted, until it is durable'],
  ],
  [
    'a log that trusts its disk',
    trusting,
    [
      'P31 after a failed sync nothing is acknowledged any more',
      'P31 closing a log that has failed claims no clean stop',
    ],
  ],
  [
    'a clock that clears no timer',
    clocks(new NeverClears()),
    ['a timer that was cleared does not run, and the others do', 'a timer may clear one that is due at the same time'],
  ],
  [
    'a clock that defers nothing',
    clocks(new RunsAtOnce()),
    ['what is deferred runs later, once, in its order, and so does what it defers'],
  ],
  [
    'a disk without a lock',
    diskConformance(diskWith(() => ({ lock: (done) => done(undefined), unlock: answersAtOnce }))),
    ['lock makes the directory, and keeps everybody else out until unlock'],
  ],
  [
    'a disk that opens a file where it should create one',
    diskConformance(
      diskWith((disk) => ({
        open: (name, how, done) =>
          disk.open(name, how, (error, file) =>
            error?.code === 'EEXIST' ? disk.open(name, 'open', done) : done(error, file),
          ),
      })),
    ),
    ['create makes a file, and fails with EEXIST where there is one, which it leaves alone'],
  ],
  [
    'a disk that answers twice',
    diskConformance(filesWith((file) => ({ sync: (done) => file.sync((error) => tellTwice(done, error)) }))),
    ['sync, writeDurably and syncDirectory answer, and change nothing that is read'],
  ],
  [
    'a disk that syncs no file',
    diskPowerCutConformance(filesWith(() => ({ sync: answersAtOnce }))),
    ['P32 what was synced is there, in a file whose name was synced with its directory'],
  ],
  [
    'a disk that syncs no directory',
    diskPowerCutConformance(diskWith(() => ({ syncDirectory: answersAtOnce }))),
    [
      'P32 what was synced is there, in a file whose name was synced with its directory',
      'P18 what was written durably is there, over what was synced before',
      'P32 renames and removals are there once the directory is synced',
      'a file that was replaced by a rename is the old one or the new one, whole',
    ],
  ],
  [
    'peers that are known by the last that was told, in a plain object',
    knownPeersConformance(() => ({ knownPeers: new KnowsTheLast(), clear: nothing })),
    [
      'nobody is known who was never met, whatever the name',
      'P43 the first incarnation counts, for good',
      'P43 of two that ask at once for one name, both are answered and the first is believed',
    ],
  ],
  [
    'peers that are forgotten at a restart',
    forgetful,
    [
      'P43 who was met is known after a restart, from the moment that it is told',
      'P43 the first incarnation counts across restarts, for many peers',
    ],
  ],
  [
    'a state machine that reads the clock',
    stateMachines(() => new ReadsTheClock()),
    ['P39 apply asks neither the wall clock nor chance'],
  ],
  [
    'a state machine that answers for the batch',
    stateMachines(() => new AnswersForTheBatch()),
    ['P39 the same commands in other batches give the same results and the same state'],
  ],
  [
    'a state machine that encodes into one buffer',
    stateMachines(() => new EncodesIntoOneBuffer()),
    ['the codec gives every command back'],
  ],
  [
    'a state machine that never says that it was used',
    stateMachines(() => new NeverUsed()),
    ['hasApplied, where there is one, tells a new state machine from a used one'],
  ],
  [
    'a state machine that keeps the bytes of commands that it decodes in place',
    stateMachines(() => new KeepsBytes()),
    [
      'decodeInPlace, where there is one, gives commands that are applied as decoded ones are, of bytes that are gone after apply',
    ],
  ],
  [
    'a state machine whose image goes on changing',
    stateMachineSnapshotConformance({ make: () => new CapturesLate(), commands }),
    ['the image is fixed when capture returns, though apply goes on'],
  ],
  [
    'a transport that takes all, and loses what there is no room for',
    connectionsWith((connection) => ({
      send: (message) => connection.send(message) || message.kind === 'append',
    })),
    ['what nobody reads is bounded: appends and requests are refused, and there is room again later'],
  ],
])('%s fails its conformance suite', async (_name, cases, expected) => {
  const { names, first } = await failures(cases);
  expect(names).toEqual(expect.arrayContaining([...expected]));
  expect(first).toBeInstanceOf(ConformanceFailure);
  expect(first?.message).toMatch(/^expected .+/);
});
