import type { SimulatedCluster } from './simulated-cluster.js';
import { simulate } from './simulated-cluster.js';
import type { SimulationOptions } from './simulation-options.js';
import { checkFields, checkSeed, DURATION, OBJECT } from './simulation-options.js';
import type { Act } from './trouble.js';
import * as trouble from './trouble.js';

export interface Exploration {
  /** Of trouble, in virtual ms; quiet follows, in which everything must settle. */
  readonly troubleMs?: number;
  readonly options?: Omit<SimulationOptions, 'seed'>;
}

const EXPLORATION = { troubleMs: DURATION, options: OBJECT };

/** A kind of trouble: what happens, how often, and on what kind of cluster. */
interface Climate {
  readonly acts: readonly Act[];
  /** Of each turn. */
  readonly actProbability: number;
  readonly options: Omit<SimulationOptions, 'seed'>;
}

/**
 * One random run: writes and reads at every replica amid lost, doubled, late and reordered messages, partitions, crashes,
 * restarts and stopped processes, all from one seed. Throws when a guarantee breaks, an acknowledged write is lost, a read is
 * stale, or the cluster does not come to rest afterwards.
 */
export function explore(seed: number, exploration: Exploration = {}): SimulatedCluster {
  checkSeed(seed);
  checkFields('explore', '', EXPLORATION, exploration);
  const { troubleMs = 3_000, options = {} } = exploration;
  const climate = CLIMATES[Math.abs(seed) % CLIMATES.length] as Climate;
  const replicas = seed % 7 === 0 ? 'abcde' : 'abc';
  const cluster = simulate({ replicas, mostDiskMs: 1 + (seed % 7), ...climate.options, ...options, seed });
  cluster.network.conditions = {
    leastDelayMs: 0,
    mostDelayMs: 1 + cluster.random() * 10,
    loss: cluster.random() < 0.5 ? 0 : cluster.random() * 0.1,
    duplication: cluster.random() * 0.05,
    reordering: cluster.random() * 0.1,
  };
  const untilMs = cluster.time.now() + troubleMs;
  let commands = 0;
  while (cluster.time.now() < untilMs) {
    const turns = Math.floor(cluster.random() * 4);
    for (let turn = 0; turn < turns; turn += 1) {
      commands += 1;
      cluster.propose(`c${commands}`, trouble.anyId(cluster));
    }
    if (cluster.random() < 0.5) cluster.read(trouble.anyId(cluster));
    if (cluster.random() < climate.actProbability) trouble.pick(cluster, climate.acts)(cluster);
    cluster.runFor(cluster.random() * 80);
  }
  cluster.verify();
  // The trouble is over: the cluster must not only be consistent, but of use.
  return cluster.propose('the last', cluster.leader?.id).verify();
}

const SMALL_STEPS = { append: { maxEntries: 1, maxBytes: 64 }, window: { maxEntries: 1, maxBytes: 256 } };

const CLIMATES: readonly Climate[] = [
  {
    acts: [
      ...[trouble.crashSome, trouble.crashSome, trouble.crashAll, trouble.restartAll, trouble.restartAll],
      ...[trouble.isolateLeader, trouble.splitAtRandom, trouble.cutOneWay, trouble.heal, trouble.heal],
      ...[trouble.stopOne, trouble.resumeAll],
    ],
    actProbability: 0.25,
    options: {},
  },
  // Leaders fall as soon as they lead, with entries that only they have: Figure 8's weather.
  {
    acts: [trouble.isolateNewLeader, trouble.crashNewLeader, trouble.figureEight, trouble.restartAll, trouble.heal],
    actProbability: 0.8,
    options: { flow: SMALL_STEPS },
  },
  // Candidates stand at the same time, and voters crash as soon as they have voted.
  {
    acts: [trouble.crashLeader, trouble.duel, trouble.duel, trouble.restartAll, trouble.heal],
    actProbability: 0.8,
    options: { settings: { ELECTION_TIMEOUT_MIN: 150, ELECTION_TIMEOUT_MAX: 160 }, mostDiskMs: 12 },
  },
];
