import { KeyValueStore } from '../../src/key-value/store.js';
import { openDataDirectory } from '../../src/log/data-directory.js';
import { nodeChecksum } from '../../src/log/node-disk.js';
import { systemClock } from '../../src/node/system-clock.js';
import type { KnownPeers, StateMachine } from '../../src/seams/index.js';
import type { StateMachineWithSnapshots, VirtualDisk } from '../../src/testing/index.js';
import {
  clockConformance,
  knownPeersConformance,
  knownPeersRestartConformance,
  Recorder,
  stateMachineConformance,
  stateMachineSnapshotConformance,
  VirtualClock,
} from '../../src/testing/index.js';
import { ReplicaClock } from '../../src/testing/replica-clock.js';
import { PeersKnownInMemory } from '../../transport/hello.js';
import { quickDisk } from '../log/slow-disk.js';
import { Counter } from '../simulation/counter.js';
import { conforms } from './conforms.js';
import { keyValueCommands } from './key-value-commands.js';

const nothing = (): void => undefined;

const systemPlace = {
  clock: systemClock,
  pass: (ms: number) => new Promise<void>((resolve) => systemClock.setTimeout(() => resolve(), ms)),
};

conforms(
  'systemClock is a clock',
  clockConformance(() => systemPlace),
);

/** Stands still behind each deferred call, for longer than a check waits. */
const heldUp = {
  ...systemClock,
  defer: (callback: () => void) =>
    systemClock.defer(() => {
      callback();
      const untilMs = systemClock.now() + 30;
      while (systemClock.now() < untilMs);
    }),
};

conforms(
  'systemClock in a process that is held up again and again is a clock',
  clockConformance(() => ({ ...systemPlace, clock: heldUp })),
);

conforms(
  'VirtualClock is a clock',
  clockConformance(() => {
    const clock = new VirtualClock();
    return { clock, pass: async (ms) => clock.runFor(ms) };
  }),
);

conforms(
  "A simulated replica's clock is a clock",
  clockConformance(() => {
    const time = new VirtualClock();
    return { clock: new ReplicaClock(time), pass: async (ms) => time.runFor(ms) };
  }),
);

conforms(
  'PeersKnownInMemory knows peers',
  knownPeersConformance(() => ({ knownPeers: new PeersKnownInMemory(), clear: nothing })),
);

/** What the data directory on this disk knows. */
function knownOn(disk: VirtualDisk): KnownPeers {
  const members = { n1: 'host:1', n2: 'host:2' };
  const mine = { clusterId: 'c1', cluster: 'one', members, nodeId: 'n1', makeIncarnation: () => 'first' };
  const found: KnownPeers[] = [];
  openDataDirectory({ disk, checksum: nodeChecksum, segmentBytes: 8 * 1024, ...mine }, (error, directory) => {
    if (directory === undefined) throw error;
    found.push(directory.knownPeers);
  });
  return found[0] as KnownPeers;
}

conforms(
  'A data directory knows peers',
  knownPeersConformance(() => ({ knownPeers: knownOn(quickDisk()), clear: nothing })),
);

conforms(
  'A data directory knows peers after a restart',
  knownPeersRestartConformance(() => {
    const disk = quickDisk();
    const restart = (): KnownPeers => {
      disk.crash();
      return knownOn(disk);
    };
    return { knownPeers: knownOn(disk), restart, clear: nothing };
  }),
);

const store = { make: () => new KeyValueStore(), commands: keyValueCommands };
conforms('KeyValueStore is a state machine', stateMachineConformance(store));
conforms('KeyValueStore makes and takes snapshots', stateMachineSnapshotConformance(store));

const recorder = { make: () => new Recorder(), commands: ['', 'one', 'two\n', 'zwölf', 'one'] };
conforms('Recorder is a state machine', stateMachineConformance(recorder));
conforms('Recorder makes and takes snapshots', stateMachineSnapshotConformance(recorder));

interface Count {
  readonly name: string;
  readonly by: number;
}
// The example is JavaScript, as its readers write it: its types are said here.
const example: string = '../../examples/counter.mjs';
const { Counters } = (await import(example)) as {
  readonly Counters: new () => StateMachine<Count, number> & StateMachineWithSnapshots;
};

const counters = {
  make: () => new Counters(),
  commands: [
    { name: 'visits', by: 1 },
    { name: 'errors', by: 5 },
    { name: 'visits', by: -3 },
    { name: 'visits', by: 0 },
  ],
};
conforms('The counter of the examples is a state machine', stateMachineConformance(counters));
conforms('The counter of the examples makes and takes snapshots', stateMachineSnapshotConformance(counters));

const adding = { make: () => new Counter(), commands: [{ add: 5 }, { add: 0 }, { add: -2 }, { add: 5 }] };
conforms('The counter of the simulations is a state machine', stateMachineConformance(adding));
