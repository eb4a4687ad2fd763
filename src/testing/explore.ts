import * as disks from './disk-faults.js';
import type { Fault } from './fault.js';
import { anyId, pick } from './fault.js';
import * as faults from './faults.js';
import * as installs from './install-faults.js';
import * as network from './network-faults.js';
import * as processes from './process-faults.js';
import type { SimulatedCluster } from './simulated-cluster.js';
import { simulate } from './simulated-cluster.js';
import type { SimulationOptions } from './simulation-options.js';
import { checkFields, checkSeed, DURATION, OBJECT } from './simulation-options.js';
import { SimulationStuck } from './words.js';

export interface Exploration {
  /** How long faults happen, virtual ms. Quiet follows, in which everything must be answered and all replicas must agree. */
  readonly troubleMs?: number;
  readonly options?: Omit<SimulationOptions, 'seed'>;
}

const EXPLORATION = { troubleMs: DURATION, options: OBJECT };

/** The faults of a run, how often they happen, and on what kind of cluster. */
interface FaultProfile {
  /** Drawn from at random: one that stands here twice happens twice as often. */
  readonly faults: readonly Fault[];
  /** Probability that a fault begins in a turn. */
  readonly faultProbability: number;
  readonly options: Omit<SimulationOptions, 'seed'>;
  /** Some commands are as large as this. Default: all are small. */
  readonly mostCommandBytes?: number;
  /** Runs before anything goes wrong. */
  readonly prepare?: Fault;
}

/**
 * One random run: writes and reads at every replica amid lost, doubled, late and reordered messages, partitions, crashes,
 * restarts and stopped processes, all from one seed. Throws when a guarantee breaks, an acknowledged write is lost, a read is
 * stale, or the cluster does not come to rest afterwards and answers reads then.
 */
export function explore(seed: number, exploration: Exploration = {}): SimulatedCluster {
  checkSeed(seed);
  checkFields('explore', '', EXPLORATION, exploration);
  const { troubleMs = 3_000, options = {} } = exploration;
  const profile = profileOf(seed);
  const replicas = seed % 7 === 0 ? 'abcde' : 'abc';
  const cluster = simulate({ replicas, mostDiskMs: 1 + (seed % 7), ...profile.options, ...options, seed });
  cluster.network.conditions = {
    leastDelayMs: 0,
    mostDelayMs: 1 + cluster.random() * 10,
    loss: cluster.random() < 0.5 ? 0 : cluster.random() * 0.1,
    duplication: cluster.random() * 0.05,
    reordering: cluster.random() * 0.1,
  };
  profile.prepare?.(cluster);
  const untilMs = cluster.time.now() + troubleMs;
  let commands = 0;
  while (cluster.time.now() < untilMs) {
    const turns = Math.floor(cluster.random() * 4);
    for (let turn = 0; turn < turns; turn += 1) {
      commands += 1;
      cluster.propose(commandOf(cluster, commands, profile), anyId(cluster));
    }
    if (cluster.random() < 0.5) read(cluster);
    if (cluster.random() < profile.faultProbability) pick(cluster, profile.faults)(cluster);
    cluster.runFor(cluster.random() * 80);
  }
  cluster.verify();
  // The trouble is over: the cluster must not only be consistent, but of use, also before anybody writes again.
  readEverywhere(cluster);
  return cluster.propose('the last', cluster.leader?.id).verify();
}

/** A read at each replica of a cluster at rest: one that runs out of time waits for something that nobody tells it. */
function readEverywhere(cluster: SimulatedCluster): void {
  // A large message from before the network became fast holds up what is behind it.
  cluster.runUntil(() => !cluster.network.isCarrying, 'what was on slow wires has arrived');
  for (const id of cluster.replicas.keys()) {
    const before = cluster.answeredReads;
    cluster.read(id).verify();
    if (cluster.answeredReads === before)
      throw new SimulationStuck(`seed ${cluster.seed}: a read at ${id} is not answered, though the cluster is at rest`);
  }
}

/** Every tenth seed (9, 19, …) is about followers that need what no log holds any more. */
function profileOf(seed: number): FaultProfile {
  if (Math.abs(seed) % 10 === 9) return INSTALLS;
  return PROFILES[Math.abs(seed) % PROFILES.length] as FaultProfile;
}

/** Where leases are on, half of the reads take one; where they are not, nothing is drawn for it. */
function read(cluster: SimulatedCluster): void {
  const at = anyId(cluster);
  const byLease = cluster.settings.readLease === true && cluster.random() < 0.5;
  cluster.read(at, undefined, byLease ? 'lease' : 'linearizable');
}

function commandOf(cluster: SimulatedCluster, number: number, { mostCommandBytes = 0 }: FaultProfile): string {
  const isLarge = mostCommandBytes > 0 && cluster.random() < 0.3;
  return `c${number}${isLarge ? ' '.repeat(Math.floor(cluster.random() * mostCommandBytes)) : ''}`;
}

const SMALL_STEPS = { append: { maxEntries: 1, maxBytes: 64 }, window: { maxEntries: 1, maxBytes: 256 } };

const PROFILES: readonly FaultProfile[] = [
  {
    faults: [
      ...[faults.crashSome, faults.crashSome, faults.crashAll, faults.restartAll, faults.restartAll],
      ...[faults.isolateLeader, faults.splitAtRandom, faults.cutOneWay, faults.heal, faults.heal],
      ...[processes.stopOne, processes.resumeAll, processes.killSome],
    ],
    faultProbability: 0.25,
    options: {},
  },
  // Leaders fall as soon as they lead, with entries that only they have: what Figure 8 is about.
  {
    faults: [faults.isolateNewLeader, faults.crashNewLeader, faults.figureEight, faults.restartAll, faults.heal],
    faultProbability: 0.8,
    options: { flow: SMALL_STEPS },
  },
  // Candidates stand at the same time, and voters crash as soon as they have voted.
  {
    faults: [faults.crashLeader, faults.duel, faults.duel, faults.restartAll, faults.heal],
    faultProbability: 0.8,
    options: { settings: { ELECTION_TIMEOUT_MIN: 150, ELECTION_TIMEOUT_MAX: 160 }, mostDiskMs: 12 },
  },
  // Disks fail, hang and are slow, and their replicas are restarted.
  {
    faults: [
      ...[disks.failOneCall, disks.failOneCall, disks.failAllCalls, disks.failStart, disks.slowDisk, disks.hangDisk],
      ...[disks.mendDisks, disks.mendDisks, disks.mendDisks],
      ...[
        faults.crashSome,
        processes.killSome,
        faults.restartAll,
        faults.restartAll,
        faults.isolateLeader,
        faults.heal,
      ],
    ],
    faultProbability: 0.3,
    options: {},
  },
  // Processes stand still for about an election timeout, and clocks on the wall jump.
  {
    faults: [
      ...[processes.pauseBriefly, processes.pauseBriefly, processes.pauseAllBriefly, processes.jumpWallClock],
      ...[processes.stopOne, processes.resumeAll, disks.slowDisk, disks.mendDisks],
      ...[faults.cutOneWay, faults.heal, processes.killSome, faults.restartAll],
    ],
    faultProbability: 0.3,
    options: {},
  },
  // Replicas come back with another data directory, and with their own again.
  {
    faults: [
      ...[disks.useAnotherDirectory, disks.useOwnDirectories, disks.useOwnDirectories],
      ...[faults.crashSome, faults.crashAll, faults.restartAll, faults.restartAll, faults.isolateLeader, faults.heal],
    ],
    faultProbability: 0.3,
    options: {},
    prepare: disks.meetEverybody,
  },
  // Connections carry little, are half open, and names take long to look up.
  {
    faults: [
      ...[network.slowNetwork, network.slowNetwork, network.slowLookups, network.calmNetwork, network.calmNetwork],
      ...[network.leaveHalfOpen, network.cutBriefly, faults.cutOneWay, faults.isolateLeader, faults.heal, faults.heal],
      ...[processes.stopOne, processes.resumeAll, processes.killSome, faults.restartAll, faults.restartAll],
    ],
    faultProbability: 0.25,
    options: {},
    mostCommandBytes: 24 * 1024,
  },
];

/** Logs are short, so that whoever misses a part of a run needs a snapshot, which comes in bit by bit, or dies over it. */
const INSTALLS: FaultProfile = {
  faults: [
    ...[installs.leaveBehind, installs.leaveBehind, installs.leaveBehind, installs.crashInstalling, installs.writeMuch],
    ...[
      installs.spoilSnapshots,
      installs.breakFetches,
      installs.mendFetches,
      faults.heal,
      faults.restartAll,
      faults.restartAll,
    ],
    ...[faults.crashSome, faults.crashLeader, faults.isolateLeader, faults.cutOneWay],
    ...[processes.killSome, processes.resumeAll, network.leaveHalfOpen],
  ],
  faultProbability: 0.4,
  options: { snapshotLogBytes: 2_000 },
};
