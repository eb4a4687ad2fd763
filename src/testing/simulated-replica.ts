import type { Actor } from 'xstate';
import { createActor } from 'xstate';
import type { FlowLimits } from '../../actors/replicator.js';
import type { replicaMachine } from '../../machines/index.js';
import type { MemoryNetwork } from '../../transport/memory-transport.js';
import { Desks } from '../desk/desks.js';
import type { LogRecord } from '../raft/entry.js';
import type { NodeId } from '../raft/kinds.js';
import type { Notice, Role } from '../raft/notices.js';
import type { RaftState } from '../raft/raft-state.js';
import { initialState } from '../raft/raft-state.js';
import { ReplicaState } from '../raft/replica-state.js';
import type { Settings } from '../raft/settings.js';
import { QuorateError } from '../seams/errors.js';
import type { KnownPeers } from '../seams/known-peers.js';
import type { LogStore } from '../seams/log-store.js';
import type { Transport } from '../seams/transport.js';
import type { DataDirectory } from '../storage/data-directory.js';
import { openDataDirectory } from '../storage/data-directory.js';
import type { DurabilityChecker } from './durability.js';
import { Recorder } from './recorder.js';
import { ReplicaClock } from './replica-clock.js';
import type { SafetyChecker } from './safety.js';
import type { VirtualClock } from './virtual-clock.js';
import { VirtualDisk } from './virtual-disk.js';

export interface SimulatedReplicaOptions {
  readonly id: NodeId;
  readonly ids: readonly NodeId[];
  readonly seed: number;
  readonly settings: Settings;
  readonly time: VirtualClock;
  readonly network: MemoryNetwork;
  readonly random: () => number;
  readonly safety: SafetyChecker;
  readonly durability: DurabilityChecker;
  readonly machine: typeof replicaMachine;
  readonly flow: FlowLimits;
  /** How long disk operations take at most, ms. */
  readonly mostDiskMs: number;
  readonly tell: (id: NodeId, notice: Notice) => void;
}

/** One running life of a replica's process. */
interface Life {
  readonly actor: Actor<typeof replicaMachine>;
  readonly desks: Desks<number>;
  readonly recorder: Recorder;
  readonly state: ReplicaState;
}

const SEGMENT_BYTES = 32 * 1024;

/** A replica as in production (chart, actors, rules, desks, log files) on virtual time, disk and network. */
export class SimulatedReplica {
  readonly id: NodeId;
  readonly disk: VirtualDisk;
  readonly clock: ReplicaClock;
  /** Why the process could not start; cleared by a start that works. */
  startError: Error | undefined;
  readonly #options: SimulatedReplicaOptions;
  #life: Life | undefined;
  #isStarted = false;
  #starts = 0;

  constructor(options: SimulatedReplicaOptions) {
    const { id, time, random, mostDiskMs } = options;
    this.#options = options;
    this.id = id;
    this.clock = new ReplicaClock(time);
    const schedule = (run: () => void, delayMs: number): void => void this.clock.setTimeout(run, delayMs);
    this.disk = new VirtualDisk({ schedule, random });
    this.disk.mostLatencyMs = mostDiskMs;
  }

  /** Starts the process; it recovers by and by. */
  start(): void {
    const { id, ids } = this.#options;
    this.#starts += 1;
    this.#isStarted = true;
    openDataDirectory(
      {
        disk: this.disk,
        checksum: fnv1a,
        clusterId: 'simulated',
        cluster: 'simulated',
        members: Object.fromEntries(ids.map((server) => [server, server])),
        nodeId: id,
        makeIncarnation: () => `${id} as of start ${this.#starts}`,
        segmentBytes: SEGMENT_BYTES,
        cacheBytes: 2 * 1024,
      },
      (error, directory) => {
        this.startError = error;
        if (directory !== undefined) this.#run(directory, ids);
      },
    );
  }

  /** The process dies, and the machine with it: the disk forgets what was not synced. */
  crash(): void {
    const life = this.#life;
    this.#life = undefined;
    this.#isStarted = false;
    this.clock.crash();
    this.disk.crash();
    this.#options.network.crash(this.id);
    life?.actor.stop();
    life?.desks.close(new QuorateError('QUORATE_CLOSED', 'crashed'));
  }

  /** The process dies, and all that it kept is lost: the next start makes a new data directory. */
  emptyDisk(): void {
    this.crash();
    this.disk.empty();
    this.#options.durability.emptied(this.id);
  }

  /** Started and not crashed since; it may still be recovering. */
  get isUp(): boolean {
    return this.#isStarted;
  }

  get role(): Role | 'crashed' {
    return this.#life?.state.role ?? 'crashed';
  }

  get raft(): RaftState | undefined {
    return this.#life?.actor.getSnapshot().context.raft;
  }

  get isServing(): boolean {
    return this.#life?.actor.getSnapshot().matches({ active: { leader: 'serving' } }) ?? false;
  }

  get haltedBy(): Error | null {
    return this.#life?.actor.getSnapshot().context.haltedBy ?? null;
  }

  /** What the state machine has applied, in order. */
  get commands(): readonly string[] {
    return this.#life?.recorder.commands ?? [];
  }

  get actor(): Actor<typeof replicaMachine> | undefined {
    return this.#life?.actor;
  }

  propose(command: string, timeoutMs: number, done: (error: QuorateError | undefined, place?: number) => void): void {
    const life = this.#life;
    if (life === undefined) return done(new QuorateError('QUORATE_CLOSED', 'crashed'));
    life.desks.propose(life.recorder.codec.encode(command), { timeoutMs, signal: undefined, done });
  }

  read(timeoutMs: number, done: (error: QuorateError | undefined, commands?: readonly string[]) => void): void {
    const life = this.#life;
    if (life === undefined) return done(new QuorateError('QUORATE_CLOSED', 'crashed'));
    life.desks.read({
      timeoutMs,
      signal: undefined,
      done: (error) => (error === undefined ? done(undefined, life.recorder.commands) : done(error)),
    });
  }

  /** Holds the chart's present state against Raft's guarantees. */
  check(): void {
    const { raft } = this;
    if (raft === undefined || this.role === 'recovering') return;
    this.#options.safety.moved(this.id, this.role as Role, raft);
    this.#options.durability.moved(this.id, this.role as Role, raft);
  }

  #run(directory: DataDirectory, ids: readonly NodeId[]): void {
    const { id, seed, settings, flow, machine, safety, tell } = this.#options;
    const servers = ids.map((server) => ({ id: server, address: server }));
    const recorder = new Recorder(({ index, term, command }) => {
      this.check();
      safety.applied(id, { index, term }, command);
    });
    const state = new ReplicaState(id, initialState(id, servers, settings));
    const actor = createActor(machine, {
      clock: this.clock,
      input: {
        identity: directory.identity,
        servers,
        settings,
        // Each life draws anew, or a restarted replica would repeat what led to its crash.
        seed: seed + this.#starts * 7_919,
        log: watched(directory.log, id, this.#options),
        transport: this.#transport(directory.knownPeers),
        stateMachine: recorder,
        clock: this.clock,
        flow,
        state,
      },
    });
    const desks = new Desks<number>({
      send: (event) => actor.send(event),
      clock: this.clock,
      resultCodec: recorder.resultCodec,
      noLeader: () => new QuorateError('QUORATE_NO_LEADER', 'nobody leads'),
      chance: this.#options.random(),
    });
    actor.on('*', (notice) => {
      tell(id, notice);
      desks.notice(notice);
    });
    actor.subscribe({ error: (error) => (this.startError = error as Error) });
    this.#life = { actor, desks, recorder, state };
    actor.start();
  }

  #transport(knownPeers: KnownPeers): Transport {
    const real = this.#options.network.transport(this.id, knownPeers);
    return {
      accept: (identity, inbound) =>
        real.accept(identity, {
          arrived: (from) => this.clock.arrive(() => inbound.arrived(from)),
          received: (from, message) => this.clock.arrive(() => inbound.received(from, message)),
          heard: (from) => this.clock.arrive(() => inbound.heard(from)),
          refused: (reason) => this.clock.arrive(() => inbound.refused(reason)),
        }),
      dial: (identity, peer, events) => {
        const connection = real.dial(identity, peer, {
          opened: () => this.clock.arrive(() => events.opened()),
          closed: (reason, refused) => this.clock.arrive(() => events.closed(reason, refused)),
        });
        return {
          send: (message) => {
            this.#options.durability.sends(this.id, peer.id, message);
            return connection.send(message);
          },
          close: () => connection.close(),
        };
      },
    };
  }
}

/** The same log, with everything that is handed to it, and what of that is synced, shown to the checkers. */
function watched(
  log: LogStore,
  id: NodeId,
  { safety, durability }: Pick<SimulatedReplicaOptions, 'safety' | 'durability'>,
): LogStore {
  const whenSynced = (done: (error?: Error) => void): ((error?: Error) => void) => {
    const synced = durability.syncs(id);
    return (error) => {
      if (error === undefined) synced();
      done(error);
    };
  };
  return {
    open: (done) =>
      log.open((error, recovered) => {
        if (recovered !== undefined) {
          safety.started(id, recovered.log);
          durability.started(id, recovered);
        }
        done(error, recovered);
      }),
    append: (records: readonly LogRecord[]) => {
      safety.wrote(id, records);
      durability.wrote(id, records);
      log.append(records);
    },
    sync: (done) => log.sync(whenSynced(done)),
    cached: (from, limits) => log.cached(from, limits),
    read: (from, limits, done) => log.read(from, limits, done),
    close: (done) => log.close(whenSynced(done)),
  };
}

/** A checksum without `node:`. */
function fnv1a(bytes: Uint8Array, start = 0): number {
  let hash = (0x811c9dc5 ^ start) >>> 0;
  for (let at = 0; at < bytes.byteLength; at += 1) hash = Math.imul(hash ^ (bytes[at] as number), 0x01000193);
  return hash >>> 0;
}
