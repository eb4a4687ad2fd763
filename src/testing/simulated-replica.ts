import type { Actor } from 'xstate';
import { createActor } from 'xstate';
import type { replicaMachine } from '../../machines/index.js';
import type { Consistency } from '../calls/call-options.js';
import type { CallRequest } from '../calls/pending-call.js';
import { QuorateError } from '../errors/quorate-error.js';
import { crc32 } from '../log/crc32.js';
import type { DataDirectory } from '../log/data-directory.js';
import { openDataDirectory } from '../log/data-directory.js';
import type { NodeId } from '../raft/numbers-and-ids.js';
import type { ReplicaState, Role } from '../raft/replica-state.js';
import { Replica } from '../replica/replica.js';
import type { AnyStateMachine, CommandOf, ResultOf } from '../seams/state-machine.js';
import { EntryEncoder } from '../wire/records.js';
import { OWN_DIRECTORY } from './durability.js';
import { InjectedFailures } from './injected-failures.js';
import type { Recorder } from './recorder.js';
import { ReplicaClock } from './replica-clock.js';
import type { SimulatedReplicaOptions } from './simulated-replica-options.js';
import type { DiskCall } from './virtual-disk.js';
import { VirtualDisk } from './virtual-disk.js';
import { watchedLog } from './watched-log.js';
import type { Indexed } from './watched-state-machine.js';
import { WatchedStateMachine } from './watched-state-machine.js';
import { watchedTransport } from './watched-transport.js';

/** One running life of a replica's process. */
interface Life<Machine extends AnyStateMachine> {
  readonly replica: Replica<Indexed<ResultOf<Machine>>>;
  readonly stateMachine: WatchedStateMachine<Machine>;
}

const SEGMENT_BYTES = 32 * 1024;
/** Where snapshots are taken often, segments are small, so that there is something to let go of. */
const SMALL_SEGMENT_BYTES = 8 * 1024;

/** A replica as in production (`Replica`, chart, actors, rules, log files) on virtual time, disk and network. */
export class SimulatedReplica<Machine extends AnyStateMachine = Recorder> {
  readonly id: NodeId;
  readonly clock: ReplicaClock;
  /** Why the process could not start; cleared by a start that works. */
  startError: Error | undefined;
  readonly #options: SimulatedReplicaOptions<Machine>;
  readonly #directories = new Map<string, VirtualDisk>();
  #directory = OWN_DIRECTORY;
  readonly #injected = new InjectedFailures();
  #life: Life<Machine> | undefined;
  /** The chart's snapshot that was checked last: most events are another replica's. */
  #checked: unknown;
  #isStarted = false;
  #starts = 0;

  /** @internal */
  constructor(options: SimulatedReplicaOptions<Machine>) {
    this.#options = options;
    this.id = options.id;
    this.clock = new ReplicaClock(options.time);
  }

  /** The disk that holds the data directory in use. */
  get disk(): VirtualDisk {
    const known = this.#directories.get(this.#directory);
    if (known !== undefined) return known;
    const { random, mostDiskMs } = this.#options;
    const schedule = (run: () => void, delayMs: number): void => void this.clock.setTimeout(run, delayMs);
    const disk = new VirtualDisk({ schedule, random });
    disk.mostLatencyMs = mostDiskMs;
    this.#directories.set(this.#directory, disk);
    return disk;
  }

  /** Starts the process; it recovers by and by. */
  start(): void {
    const { id, ids } = this.#options;
    this.#starts += 1;
    this.#isStarted = true;
    const entryEncoder = new EntryEncoder();
    openDataDirectory(
      {
        disk: this.disk,
        checksum: crc32,
        clusterId: 'simulated',
        cluster: 'simulated',
        members: Object.fromEntries(ids.map((server) => [server, server])),
        nodeId: id,
        makeIncarnation: () => `${id} as of start ${this.#starts}`,
        segmentBytes: this.#options.snapshotLogBytes < SEGMENT_BYTES ? SMALL_SEGMENT_BYTES : SEGMENT_BYTES,
        cacheBytes: 2 * 1024,
        entryEncoder,
      },
      (error, directory) => {
        this.startError = error;
        if (directory !== undefined) this.#run(directory, entryEncoder);
      },
    );
  }

  /** The process dies, and the machine with it: the disk forgets what was not synced. */
  crash(): void {
    this.disk.crash();
    this.#end();
  }

  /** Only the process dies: the kernel still holds what it wrote, and another crash may lose that. */
  kill(): void {
    this.disk.kill();
    this.#end();
  }

  /**
   * Fails calls of the disk, by the code that `failure` names for each, until `mendDisk`. A replica that halts or can't start
   * because of it is no failure of the run.
   */
  failDisk(failure: (call: DiskCall) => string | undefined): void {
    this.disk.failure = (call) => {
      const code = failure(call);
      if (code !== undefined) this.#injected.note(code);
      return code;
    };
  }

  /** Until its next start a halt of this replica is no failure of the run: something was done to it of which it should find out. */
  expectHalt(): void {
    this.#injected.expectHalt();
  }

  /** The disk works again, as fast as at the start. A replica that has halted stays so until it is restarted. */
  mendDisk(): void {
    this.disk.failure = () => undefined;
    this.disk.mostLatencyMs = this.#options.mostDiskMs;
    this.disk.resume();
  }

  /** The process dies, and its next start finds another data directory in place of its own: empty, if it is new. */
  useDirectory(name: string): void {
    this.crash();
    this.#directory = name;
    this.#options.durability.usesDirectory(this.id, name);
  }

  /** Whether it uses the data directory of its first start. */
  get isAtHome(): boolean {
    return this.#directory === OWN_DIRECTORY;
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
    return this.#life?.replica.view.role ?? 'crashed';
  }

  get raft(): ReplicaState | undefined {
    return this.#life?.replica.state;
  }

  get isServing(): boolean {
    return this.#life?.replica.isServing ?? false;
  }

  get haltedBy(): Error | null {
    return this.#life?.replica.haltedBy ?? null;
  }

  /** The commands that the state machine has applied in this life of the process, in order. */
  get commands(): readonly CommandOf<Machine>[] {
    return this.#life?.stateMachine.commands ?? [];
  }

  /** The state machine of this life of the process; undefined while it is down. */
  get stateMachine(): Machine | undefined {
    return this.#life?.stateMachine.machine;
  }

  /** @internal The state machine as the simulation sees it. */
  get watched(): WatchedStateMachine<Machine> | undefined {
    return this.#life?.stateMachine;
  }

  get actor(): Actor<typeof replicaMachine> | undefined {
    return this.#life?.replica.actor;
  }

  /** @internal */
  propose(payload: Uint8Array, request: Omit<CallRequest<Indexed<ResultOf<Machine>>>, 'signal'>): void {
    const life = this.#life;
    if (life === undefined) return request.done(new QuorateError('QUORATE_CLOSED', 'crashed'));
    life.replica.propose(payload, { ...request, signal: undefined });
  }

  /** `done` is called when the state machine here may be read. */
  read(request: Omit<CallRequest<undefined>, 'signal'> & { readonly consistency?: Consistency | undefined }): void {
    const life = this.#life;
    if (life === undefined) return request.done(new QuorateError('QUORATE_CLOSED', 'crashed'));
    life.replica.read({ ...request, signal: undefined });
  }

  /** Why this replica can't go on, unless that was brought about on purpose. */
  get unexpectedEnd(): Error | undefined {
    const error = this.startError ?? this.haltedBy ?? undefined;
    return error === undefined || this.#injected.caused(error) ? undefined : error;
  }

  /** Calls of its disk were failed on purpose since it was started: it may halt because of one that is still under way. */
  get hasFailedCalls(): boolean {
    return !this.#injected.isEmpty;
  }

  /** It could not start, or has halted: only a restart helps. */
  get isOver(): boolean {
    return this.startError !== undefined || this.haltedBy !== null;
  }

  /** Holds the chart's present state against Raft's guarantees. */
  check(): void {
    const snapshot = this.actor?.getSnapshot();
    if (snapshot === this.#checked) return;
    this.#checked = snapshot;
    const { raft } = this;
    if (raft === undefined || this.role === 'recovering') return;
    this.#options.safety.moved(this.id, this.role as Role, raft);
    this.#options.durability.moved(this.id, this.role as Role, raft);
  }

  #end(): void {
    const life = this.#life;
    this.#life = undefined;
    this.#isStarted = false;
    this.startError = undefined;
    this.#injected.clear();
    this.clock.crash();
    this.#options.network.crash(this.id);
    this.#options.safety.stopped(this.id);
    this.#options.durability.stopped(this.id);
    life?.replica.actor.stop();
    life?.replica.close(new QuorateError('QUORATE_CLOSED', 'crashed'));
  }

  #run(directory: DataDirectory, entryEncoder: EntryEncoder): void {
    const { id, ids, seed, settings, flow, machine, tell, network, durability, snapshotLogBytes } = this.#options;
    const servers = ids.map((server) => ({ id: server, address: server }));
    const input = { identity: directory.identity, servers, settings, flow, clock: this.clock };
    const stateMachine = new WatchedStateMachine(this.#options.makeStateMachine(id), this.#options.watcher(id));
    const log = watchedLog(directory.log, id, this.#options);
    const transport = network.transport(id, directory.knownPeers, this.clock, entryEncoder);
    const actor = createActor(machine, {
      clock: this.clock,
      input: {
        ...input,
        // Each life draws anew, or a restarted replica would repeat what led to its crash.
        seed: seed + this.#starts * 7_919,
        log,
        transport: watchedTransport(transport, id, durability),
        stateMachine,
        snapshots: directory.snapshots,
        snapshotLogBytes,
      },
    });
    actor.on('*', (notice) => tell(id, notice));
    const replica = new Replica<Indexed<ResultOf<Machine>>>({
      actor,
      log,
      resultCodec: stateMachine.resultCodec,
      clock: this.clock,
      chance: this.#options.random(),
      noticed: () => undefined,
      failed: (error) => {
        this.startError = error;
      },
    });
    this.#life = { replica, stateMachine };
    actor.start();
  }
}
