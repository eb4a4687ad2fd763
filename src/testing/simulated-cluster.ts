import { electionManager } from '../../actors/election-manager.js';
import type { FlowLimits } from '../../actors/replicator.js';
import { DEFAULT_FLOW } from '../../actors/replicator.js';
import { replicaMachine } from '../../machines/index.js';
import type { Conditions } from '../../transport/memory-transport.js';
import { MemoryNetwork } from '../../transport/memory-transport.js';
import type { NodeId } from '../raft/kinds.js';
import type { Notice } from '../raft/notices.js';
import type { RandomState } from '../raft/random.js';
import { derive, draw } from '../raft/random.js';
import type { Settings } from '../raft/settings.js';
import { DEFAULT_SETTINGS } from '../raft/settings.js';
import { DurabilityChecker } from './durability.js';
import { SafetyChecker } from './safety.js';
import { SimulatedReplica } from './simulated-replica.js';
import { VirtualClock } from './virtual-clock.js';

export interface SimulationOptions {
  /** Decides everything that happens by chance. */
  readonly seed: number;
  /** One letter for each replica (`'abc'`), or ids. */
  readonly replicas?: string | readonly NodeId[];
  readonly settings?: Partial<Settings>;
  readonly conditions?: Partial<Conditions>;
  /** `timed`: by their timers, as in production. `told`: only where `elect` says so, for stories told step by step. */
  readonly elections?: 'timed' | 'told';
  /** Another chart to run, to see what breaks. */
  readonly machine?: typeof replicaMachine;
  readonly mostDiskMs?: number;
  readonly flow?: FlowLimits;
}

/** What became of a command or a read: looked at by tests, and by `verify`. */
export interface Outcome {
  readonly what: string;
  readonly at: NodeId;
  readonly outcome: 'pending' | 'acknowledged' | 'refused' | 'unknown';
}

const LONG_TIME_MS = 20_000;

/** Something that should have happened by then has not. */
export class SimulationStuck extends Error {
  override readonly name = 'SimulationStuck';
}

/** A cluster in one process, on virtual time: the same seed gives the same run, event by event. */
export function simulate(options: SimulationOptions): SimulatedCluster {
  return new SimulatedCluster(options);
}

export class SimulatedCluster {
  readonly seed: number;
  readonly time = new VirtualClock();
  readonly network: MemoryNetwork;
  readonly replicas: ReadonlyMap<NodeId, SimulatedReplica>;
  readonly safety = new SafetyChecker();
  readonly durability = new DurabilityChecker();
  /** One line for each notice of any replica: equal for equal seeds. */
  readonly trace: string[] = [];
  readonly settings: Settings;
  readonly #outcomes = new Map<string, Outcome & { place?: number }>();
  readonly #readErrors: string[] = [];
  #pendingReads = 0;
  #answeredReads = 0;
  #mostPlace = 0;
  #chance: RandomState;

  constructor(options: SimulationOptions) {
    const {
      seed,
      flow = DEFAULT_FLOW,
      replicas = 'abc',
      conditions = {},
      elections = 'timed',
      machine = replicaMachine,
      mostDiskMs = 2,
    } = options;
    this.seed = seed;
    this.settings = { ...DEFAULT_SETTINGS, ...options.settings };
    this.#chance = derive(seed, 'cluster');
    const random = (): number => this.random();
    this.network = new MemoryNetwork({ clock: this.time, random, conditions });
    const ids = [...replicas];
    const runs = elections === 'told' ? machine.provide({ actors: { electionManager: patient } }) : machine;
    const shared = {
      ids,
      flow,
      settings: this.settings,
      time: this.time,
      network: this.network,
      random,
      safety: this.safety,
      durability: this.durability,
    };
    const tell = (id: NodeId, notice: Notice): void => this.#note(id, notice);
    const make = (id: NodeId): SimulatedReplica =>
      new SimulatedReplica({ ...shared, id, seed, machine: runs, mostDiskMs, tell });
    this.replicas = new Map(ids.map((id) => [id, make(id)]));
    for (const replica of this.replicas.values()) replica.start();
    this.runUntil(() => this.#all((replica) => replica.role === 'follower'), 'all replicas follow');
  }

  /** The next number of this run's chance, in [0, 1). */
  random(): number {
    const { value, next } = draw(this.#chance);
    this.#chance = next;
    return value;
  }

  replica(id: NodeId): SimulatedReplica {
    const replica = this.replicas.get(id);
    if (replica === undefined) throw new Error(`there is no replica ${id}`);
    return replica;
  }

  /** The one that leads and serves, if there is one; of the newest term where an old one does not know yet. */
  get leader(): SimulatedReplica | undefined {
    const serving = [...this.replicas.values()].filter((replica) => replica.isServing);
    return serving.sort((a, b) => (b.raft?.term ?? 0) - (a.raft?.term ?? 0))[0];
  }

  /** Runs the one thing that is due next, and checks Raft's guarantees. */
  step(): boolean {
    const ran = this.time.advanceToNext();
    for (const replica of this.replicas.values()) {
      replica.check();
      if (replica.startError !== undefined) throw replica.startError;
      if (replica.haltedBy !== null) throw replica.haltedBy;
    }
    return ran;
  }

  runFor(durationMs: number): this {
    const untilMs = this.time.now() + durationMs;
    while ((this.time.nextDueMs ?? Number.POSITIVE_INFINITY) <= untilMs) this.step();
    this.time.runFor(Math.max(0, untilMs - this.time.now()));
    return this;
  }

  runUntil(holds: () => boolean, what: string, withinMs = LONG_TIME_MS): this {
    const untilMs = this.time.now() + withinMs;
    while (!holds()) {
      if (this.time.now() > untilMs || !this.step())
        throw new SimulationStuck(`seed ${this.seed}: ${what}: not within ${withinMs} ms; ${this.#describe()}`);
    }
    return this;
  }

  /** As `runUntil`, but time may as well run out. */
  runUpTo(mostMs: number, until: () => boolean): this {
    const untilMs = this.time.now() + mostMs;
    while (!until() && (this.time.nextDueMs ?? Number.POSITIVE_INFINITY) <= untilMs) this.step();
    return this;
  }

  untilServing(): this {
    return this.runUntil(() => this.leader !== undefined, 'a leader serves');
  }

  /** Lets `id` stand for election, again and again as its timer would, until it leads. */
  elect(id: NodeId): this {
    const leads = (): boolean => this.replica(id).role === 'leader';
    for (let tries = 0; tries < 10 && !leads(); tries += 1) {
      this.runFor(this.settings.ELECTION_TIMEOUT_MIN);
      this.replica(id).actor?.send({ type: 'election.timedOut', reason: 'told to stand' });
      this.runUpTo(this.settings.ELECTION_TIMEOUT_MAX, leads);
    }
    return this.runUntil(leads, `${id} leads`, 0);
  }

  /** Hands a command to a replica (the leader, where none is named) and goes on; see `outcomeOf`. */
  propose(
    command: string,
    at: NodeId = this.leader?.id ?? [...this.replicas.keys()][0] ?? '',
    timeoutMs = 2_000,
  ): this {
    this.#outcomes.set(command, { what: command, at, outcome: 'pending' });
    const target = this.replica(at);
    const life = target.actor;
    target.propose(command, timeoutMs, (error, place) => {
      // A caller whose process is gone hears nothing.
      const isGone = target.actor !== life;
      if (place !== undefined) this.#mostPlace = Math.max(this.#mostPlace, place);
      const outcome = outcomeFor(error?.code, isGone);
      this.#outcomes.set(command, { what: command, at, outcome, ...(place === undefined ? {} : { place }) });
    });
    return this;
  }

  /** A linearizable read at a replica: whatever was acknowledged before must be in what it sees. */
  read(at: NodeId, timeoutMs = 2_000): this {
    const acknowledged = this.#mostPlace;
    this.#pendingReads += 1;
    this.replica(at).read(timeoutMs, (_error, commands) => {
      this.#pendingReads -= 1;
      if (commands === undefined) return;
      this.#answeredReads += 1;
      if (commands.length < acknowledged) {
        this.#readErrors.push(`${at} read ${commands.length} commands when ${acknowledged} had been acknowledged`);
      }
    });
    return this;
  }

  get answeredReads(): number {
    return this.#answeredReads;
  }

  outcomeOf(command: string): Outcome['outcome'] | undefined {
    return this.#outcomes.get(command)?.outcome;
  }

  acknowledged(): readonly string[] {
    return [...this.#outcomes.values()].filter(({ outcome }) => outcome === 'acknowledged').map(({ what }) => what);
  }

  crash(id: NodeId): this {
    this.replica(id).crash();
    return this;
  }

  /** Crashes a replica and removes its data: when it is restarted, those that have met it refuse it. */
  emptyDisk(id: NodeId): this {
    this.replica(id).emptyDisk();
    return this;
  }

  restart(id: NodeId): this {
    const replica = this.replica(id);
    if (replica.isUp) this.crash(id);
    replica.start();
    return this;
  }

  isolate(id: NodeId): this {
    this.network.partition([[id], [...this.replicas.keys()].filter((other) => other !== id)]);
    return this;
  }

  heal(): this {
    this.network.heal();
    return this;
  }

  /** Ends all trouble, waits until everything is answered and all replicas agree, and holds them against every promise made. */
  verify(): this {
    this.heal();
    this.network.drops = () => false;
    this.network.conditions = { leastDelayMs: 0, mostDelayMs: 1, loss: 0, duplication: 0, reordering: 0 };
    for (const replica of this.replicas.values()) {
      if (replica.clock.isPaused) replica.clock.resume();
      if (!replica.isUp) replica.start();
    }
    this.runUntil(() => this.#isSettled(), 'everything settles');
    this.#verifyCommands();
    const [problem] = this.#readErrors;
    if (problem !== undefined) throw new Error(`seed ${this.seed}: stale read: ${problem}`);
    return this;
  }

  #isSettled(): boolean {
    if (this.leader === undefined || this.#pendingReads > 0) return false;
    if ([...this.#outcomes.values()].some(({ outcome }) => outcome === 'pending')) return false;
    const last = this.leader.raft?.log.lastIndex;
    return this.#all(({ raft }) => raft?.lastApplied === last && raft?.log.lastIndex === last);
  }

  #verifyCommands(): void {
    for (const { id, commands } of this.replicas.values()) {
      const times = new Map<string, number>();
      for (const command of commands) times.set(command, (times.get(command) ?? 0) + 1);
      for (const { what, outcome } of this.#outcomes.values()) {
        const count = times.get(what) ?? 0;
        if (count > 1) throw new Error(`seed ${this.seed}: ${id} applied ${what} ${count} times`);
        if (outcome === 'acknowledged' && count === 0)
          throw new Error(`seed ${this.seed}: ${id} lost acknowledged ${what}`);
        if (outcome === 'refused' && count > 0)
          throw new Error(`seed ${this.seed}: ${id} applied ${what}, which was refused`);
      }
    }
  }

  #all(holds: (replica: SimulatedReplica) => boolean): boolean {
    return [...this.replicas.values()].every(holds);
  }

  #note(id: NodeId, notice: Notice): void {
    const { type, ...rest } = notice;
    const what = 'entries' in notice ? `to ${notice.entries.at(-1)?.index}` : JSON.stringify(rest);
    this.trace.push(`${this.time.now().toFixed(3)} ${id} ${type} ${what}`);
  }

  #describe(): string {
    const describe = ({ id, role, raft }: SimulatedReplica): string =>
      `${id} ${role} term ${raft?.term} last ${raft?.log.lastIndex} commit ${raft?.commitIndex} applied ${raft?.lastApplied}`;
    const waiting = [...this.#outcomes.values()].filter(({ outcome }) => outcome === 'pending').length;
    return `${[...this.replicas.values()].map(describe).join('; ')}; ${waiting} commands and ${this.#pendingReads} reads wait`;
  }
}

/** An ElectionManager whose timers never run out. */
const patient = electionManager.provide({ delays: { ELECTION_TIMEOUT: 1e9, CAMPAIGN_TIMEOUT: 1e9 } });

function outcomeFor(code: string | undefined, isGone: boolean): Outcome['outcome'] {
  if (code === undefined) return 'acknowledged';
  return isGone || code === 'QUORATE_OUTCOME_UNKNOWN' ? 'unknown' : 'refused';
}
