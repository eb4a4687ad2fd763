import { DEFAULT_FLOW } from '../../actors/flow.js';
import { replicaMachine } from '../../machines/index.js';
import type { Notice } from '../raft/effects.js';
import type { NodeId } from '../raft/numbers-and-ids.js';
import type { RandomState } from '../raft/random.js';
import { derive, draw } from '../raft/random.js';
import type { ReplicaSettings } from '../raft/settings.js';
import { DEFAULT_SETTINGS } from '../raft/settings.js';
import { encodeCommand } from '../replica/replica.js';
import type { AnyStateMachine, CommandOf, ResultOf } from '../seams/state-machine.js';
import { AppliedCommands } from './applied-commands.js';
import { CheckedReads } from './checked-reads.js';
import { DurabilityChecker } from './durability.js';
import { agreeWith, endTrouble } from './end-trouble.js';
import type { Outcome } from './proposals.js';
import { outcomeFor, Proposals } from './proposals.js';
import { Recorder } from './recorder.js';
import { SafetyChecker, SafetyViolation } from './safety.js';
import { noSuchReplica, SimulatedNetwork } from './simulated-network.js';
import { SimulatedReplica } from './simulated-replica.js';
import type { SimulationOptions } from './simulation-options.js';
import { checkDuration, checkSimulationOptions, settingsOf } from './simulation-options.js';
import { withoutElectionTimers } from './told-elections.js';
import { VirtualClock } from './virtual-clock.js';
import type { Watcher } from './watched-state-machine.js';
import { asText, makeStateMachine } from './watched-state-machine.js';
import { describeReplica, detailsOf, SimulationStuck } from './words.js';

const LONG_TIME_MS = 20_000;
/** More than a start asks of its disk, one after another. */
const STARTING_OPERATIONS = 100;

/**
 * A cluster in one process, on virtual time: the same seed gives the same run, event by event. Options that can't work are
 * refused with CONFIG_INVALID.
 */
export function simulate<Machine extends AnyStateMachine = Recorder>(
  options: SimulationOptions<Machine>,
): SimulatedCluster<Machine> {
  return new SimulatedCluster<Machine>(options);
}

export class SimulatedCluster<Machine extends AnyStateMachine = Recorder> {
  readonly seed: number;
  readonly time = new VirtualClock();
  readonly network: SimulatedNetwork;
  readonly replicas: ReadonlyMap<NodeId, SimulatedReplica<Machine>>;
  readonly safety = new SafetyChecker();
  /** @internal */
  readonly durability = new DurabilityChecker();
  /** One line for each notice of any replica: equal for equal seeds. */
  readonly trace: string[] = [];
  readonly settings: ReplicaSettings;
  readonly #proposals = new Proposals<CommandOf<Machine>, ResultOf<Machine>>();
  readonly #applied = new AppliedCommands();
  #codec: Machine['codec'] | undefined;
  readonly #reads = new CheckedReads();
  #chance: RandomState;

  constructor(options: SimulationOptions<Machine>) {
    checkSimulationOptions(options);
    const {
      seed,
      flow = DEFAULT_FLOW,
      replicas = 'abc',
      conditions = {},
      elections = 'timed',
      machine = replicaMachine,
      mostDiskMs = 2,
      snapshotLogBytes = Number.POSITIVE_INFINITY,
      stateMachine = () => new Recorder() as AnyStateMachine as Machine,
    } = options;
    this.seed = seed;
    this.settings = { ...DEFAULT_SETTINGS, ...options.settings };
    this.#chance = derive(seed, 'cluster');
    const random = (): number => this.random();
    const ids = [...replicas];
    this.network = new SimulatedNetwork(ids, { clock: this.time, random, conditions });
    const used = new WeakSet<object>();
    const shared = {
      ids,
      seed,
      flow,
      mostDiskMs,
      snapshotLogBytes,
      random,
      time: this.time,
      network: this.network,
      safety: this.safety,
      durability: this.durability,
      machine: elections === 'told' ? withoutElectionTimers(machine) : machine,
      tell: (id: NodeId, notice: Notice): void => this.#note(id, notice),
      makeStateMachine: (id: NodeId): Machine => {
        const made = makeStateMachine(stateMachine, id, used);
        this.#codec ??= made.codec;
        return made;
      },
      watcher: (id: NodeId): Watcher =>
        this.#applied.watcher(id, (applied) => {
          this.replica(id).check();
          this.safety.applied(id, applied, applied.command);
        }),
    };
    this.replicas = new Map(
      ids.map((id) => [id, new SimulatedReplica<Machine>({ ...shared, id, settings: settingsOf(options, id) })]),
    );
    for (const replica of this.replicas.values()) replica.start();
    const isStarted = ({ role }: SimulatedReplica<Machine>): boolean => role !== 'crashed' && role !== 'recovering';
    const withinMs = LONG_TIME_MS + STARTING_OPERATIONS * mostDiskMs;
    this.runUntil(() => this.#all(isStarted), 'all replicas have started', withinMs);
  }

  /** The next number of this run's chance, in [0, 1). */
  random(): number {
    const { value, next } = draw(this.#chance);
    this.#chance = next;
    return value;
  }

  replica(id: NodeId): SimulatedReplica<Machine> {
    const replica = this.replicas.get(id);
    if (replica === undefined) throw noSuchReplica(id, [...this.replicas.keys()]);
    return replica;
  }

  /** The one that leads and serves, if there is one; of the newest term where an old one does not know yet. */
  get leader(): SimulatedReplica<Machine> | undefined {
    const serving = [...this.replicas.values()].filter((replica) => replica.isServing);
    return serving.sort((a, b) => (b.raft?.term ?? 0) - (a.raft?.term ?? 0))[0];
  }

  /** Runs the one thing that is due next, and checks Raft's guarantees. */
  step(): boolean {
    const ran = this.time.advanceToNext();
    for (const replica of this.replicas.values()) {
      replica.check();
      const { unexpectedEnd } = replica;
      if (unexpectedEnd !== undefined) throw unexpectedEnd;
    }
    return ran;
  }

  runFor(durationMs: number): this {
    checkDuration('durationMs', durationMs);
    const untilMs = this.time.now() + durationMs;
    while ((this.time.nextDueMs ?? Number.POSITIVE_INFINITY) <= untilMs) this.step();
    this.time.runFor(Math.max(0, untilMs - this.time.now()));
    return this;
  }

  runUntil(holds: () => boolean, what: string, withinMs = LONG_TIME_MS): this {
    checkDuration('withinMs', withinMs);
    const untilMs = this.time.now() + withinMs;
    while (!holds()) {
      if (this.time.now() > untilMs || !this.step())
        throw new SimulationStuck(`seed ${this.seed}: ${what}: not within ${withinMs} ms; ${this.#describe()}`);
    }
    return this;
  }

  /** Like `runUntil`, but the time may run out. */
  runUpTo(mostMs: number, until: () => boolean): this {
    checkDuration('mostMs', mostMs);
    const untilMs = this.time.now() + mostMs;
    while (!until() && (this.time.nextDueMs ?? Number.POSITIVE_INFINITY) <= untilMs) this.step();
    return this;
  }

  untilServing(): this {
    return this.runUntil(() => this.leader !== undefined, 'a leader serves');
  }

  /** Lets `id` stand for election, as if the leader had asked for it (thesis §3.10), again and again until it leads. */
  elect(id: NodeId): this {
    const leads = (): boolean => this.replica(id).role === 'leader';
    for (let tries = 0; tries < 10 && !leads(); tries += 1) {
      this.runFor(this.settings.ELECTION_TIMEOUT_MIN);
      this.replica(id).actor?.send({ type: 'election.asked' });
      this.runUpTo(this.settings.ELECTION_TIMEOUT_MAX, leads);
    }
    return this.runUntil(leads, `${id} leads`, 0);
  }

  /**
   * Hands a command to a replica (the leader, where none is named) and goes on; see `outcomeOf`. A command that the state
   * machine's codec can't take is refused with BAD_REQUEST.
   */
  propose(
    command: CommandOf<Machine>,
    at: NodeId = this.leader?.id ?? ([...this.replicas.keys()][0] as NodeId),
    timeoutMs = 2_000,
  ): this {
    checkDuration('timeoutMs', timeoutMs);
    const target = this.replica(at);
    const payload = this.#encode(command);
    const end = this.#proposals.begin(command, asText(payload), at);
    const life = target.actor;
    target.propose(payload, {
      timeoutMs,
      done: (error, answer) => end(outcomeFor(error, target.actor !== life), answer),
    });
    return this;
  }

  /** A linearizable read at a replica, or one by `lease`: whatever was acknowledged before must be in what it sees. */
  read(at: NodeId, timeoutMs = 2_000, consistency: 'linearizable' | 'lease' = 'linearizable'): this {
    checkDuration('timeoutMs', timeoutMs);
    this.#reads.begin(this.replica(at) as never, this.#proposals.newestAcknowledged, { timeoutMs, consistency });
    return this;
  }

  get answeredReads(): number {
    return this.#reads.answered;
  }

  /** The outcome of the newest proposal of this command; undefined where it was never proposed. */
  outcomeOf(command: CommandOf<Machine>): Outcome['outcome'] | undefined {
    return this.#proposals.last(this.#keyOf(command))?.outcome;
  }

  /** The state machine's answer to the newest proposal of this command, once it is acknowledged. */
  resultOf(command: CommandOf<Machine>): ResultOf<Machine> | undefined {
    return this.#proposals.last(this.#keyOf(command))?.answer?.result;
  }

  acknowledged(): readonly CommandOf<Machine>[] {
    return this.#proposals.acknowledged();
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

  /** Ends a replica's process, but not its machine: the kernel still holds what it wrote. */
  kill(id: NodeId): this {
    this.replica(id).kill();
    return this;
  }

  restart(id: NodeId): this {
    const replica = this.replica(id);
    if (replica.isUp) this.crash(id);
    replica.start();
    return this;
  }

  /** Cuts a replica off from all others. Those that were isolated before stay so, until `heal`. */
  isolate(id: NodeId): this {
    this.network.isolate(id);
    return this;
  }

  heal(): this {
    this.network.heal();
    return this;
  }

  /** Ends all trouble, waits until everything is answered and all replicas agree, and holds them against every promise made. */
  verify(): this {
    endTrouble(this.network, this.replicas.values() as Iterable<never>);
    this.runUntil(() => this.#isAnsweredAndAgreed(), 'everything is answered and all replicas agree');
    const problem = this.#applied.problemWith([...this.replicas.values()], this.#proposals) ?? this.#reads.problems[0];
    if (problem !== undefined) throw new SafetyViolation(`seed ${this.seed}: ${problem}`);
    return this;
  }

  #isAnsweredAndAgreed(): boolean {
    const { leader } = this;
    if (leader === undefined || this.#reads.pending > 0 || this.#proposals.pending > 0) return false;
    return agreeWith(leader as never, this.replicas.values() as Iterable<never>);
  }

  #keyOf(command: CommandOf<Machine>): string {
    return asText(this.#encode(command));
  }

  #encode(command: CommandOf<Machine>): Uint8Array {
    return encodeCommand(this.#codec as Machine['codec'], command);
  }

  #all(holds: (replica: SimulatedReplica<Machine>) => boolean): boolean {
    return [...this.replicas.values()].every(holds);
  }

  #note(id: NodeId, notice: Notice): void {
    this.trace.push(`${this.time.now().toFixed(3)} ${id} ${notice.type} ${detailsOf(notice)}`);
  }

  #describe(): string {
    const replicas = [...this.replicas.values()].map(describeReplica).join('; ');
    return `${replicas}; ${this.#proposals.pending} commands and ${this.#reads.pending} reads wait`;
  }
}
