import { randomInt } from 'node:crypto';
import type { Actor } from 'xstate';
import { createActor } from 'xstate';
import { reserveStateMachine, whenApplied } from '../../actors/new-state-machines.js';
import { replicaMachine } from '../../machines/index.js';
import type { CallRequest } from '../calls/pending-call.js';
import { aborted, whenAborted } from '../calls/pending-call.js';
import { QuorateError } from '../errors/quorate-error.js';
import type { NodeReports } from '../http/served-node.js';
import type { NodeNotice } from '../raft/effects.js';
import type { Index, NodeId } from '../raft/numbers-and-ids.js';
import type { ReplicaView } from '../raft/replica-view.js';
import type { TakenSnapshot } from '../replica/pending-snapshots.js';
import { whyNoLeader } from '../replica/readiness.js';
import { refuseAborted } from '../replica/refusals.js';
import { Replica } from '../replica/replica.js';
import type { NodeStatus } from '../replica/status.js';
import { describe } from '../replica/status.js';
import { waitForLeader } from '../replica/wait-for-leader.js';
import { NodeReporter } from '../report/reporter.js';
import type { Clock } from '../seams/clock.js';
import type { AnyService } from '../seams/service.js';
import type { AnyStateMachine, CommandOf, ResultOf } from '../seams/state-machine.js';
import type { LeaderNews } from '../wire/client-frames.js';
import { checkOptions } from './check-options.js';
import { guardObservers, inspectionBy } from './guarded-observers.js';
import { LeaderWatch } from './leader-watch.js';
import type { Logger } from './node-log.js';
import { NodeLog } from './node-log.js';
import { NoticeLog } from './notice-log.js';
import type { CallOptions, ReadOptions, ReplicaNodeOptions } from './options.js';
import { limitsOf, propose, read, snapshot } from './promised-calls.js';
import { helloOf, reportedNode } from './reported-node.js';
import type { Made, NodeResources } from './resources.js';
import { clusterIdOf, inDirectory, openResources } from './resources.js';
import type { ServingOptions } from './serving.js';
import { serve } from './serving.js';
import { notClosedYet, notOpenYet, toldWhileItLasts } from './slow-steps.js';
import { systemClock } from './system-clock.js';
import { VERSION } from './version.js';

/**
 * One process that holds one replica: opens its directory, its log and its port, starts the chart, and serves callers and
 * peers. Several may live in one process. It never exits the process and installs no signal handlers.
 */
export class ReplicaNode<Machine extends AnyStateMachine> implements AsyncDisposable {
  /** This node's identity and what it knows, to be read only. */
  readonly state: ReplicaView;
  /** The running chart: subscribe to it, inspect it, `waitFor` it, `on('role.changed', …)`. */
  readonly actor: Actor<typeof replicaMachine>;
  /** Names that Host may have in requests, beside localhost, IP addresses and the members' addresses. */
  readonly allowHosts: readonly string[];
  /** The operations that clients and HTTP may ask of the state machine; undefined where there are none. */
  readonly service: AnyService | undefined;
  readonly #stateMachine: Machine;
  readonly #serving: ServingOptions;
  readonly #releaseStateMachine: () => void;
  readonly #resources: NodeResources;
  readonly #replica: Replica<ResultOf<Machine>>;
  readonly #watch: LeaderWatch;
  readonly #logger: Logger;
  readonly #noticeLog: NoticeLog;
  readonly #reporter: NodeReporter;
  readonly #dataDir: string | undefined;
  readonly #clock: Clock;
  #stopServing: () => Promise<void> = async () => undefined;
  /** Ends `open`: the node follows, or cannot. */
  #endStart: (error?: Error) => void = () => undefined;
  #forgetSignal: () => void = () => undefined;
  #closing: Promise<void> | undefined;

  /**
   * Opens the data directory, listens, recovers, and starts taking part. Resolves when the node follows, whether or not
   * anybody leads yet. Rejects with CONFIG_INVALID, DATA_LOCKED, DATA_DAMAGED, or what the operating system says.
   */
  static async open<Machine extends AnyStateMachine>(
    options: ReplicaNodeOptions<Machine>,
  ): Promise<ReplicaNode<Machine>> {
    const settings = await checkOptions(options);
    refuseAborted(options.signal);
    const release = reserveStateMachine(options.stateMachine);
    const logger = new NodeLog(options.id, options.logger);
    const clock = options.clock ?? systemClock;
    const opening = ReplicaNode.#openChecked(options, { settings, clock, logger, releaseStateMachine: release });
    try {
      return await toldWhileItLasts(opening, {
        clock,
        tell: (seconds) => logger.warn({ event: 'slow start' }, notOpenYet(options.dataDir, seconds)),
      });
    } catch (error) {
      release();
      throw error;
    }
  }

  static async #openChecked<Machine extends AnyStateMachine>(
    options: ReplicaNodeOptions<Machine>,
    made: Omit<Made, 'resources'>,
  ): Promise<ReplicaNode<Machine>> {
    const resources = await openResources(options, { ...made, clusterId: clusterIdOf(options) });
    let node: ReplicaNode<Machine>;
    try {
      node = new ReplicaNode(options, { ...made, resources });
    } catch (error) {
      await resources.clear();
      throw error;
    }
    try {
      await node.#start(options.signal);
      return node;
    } catch (error) {
      await node.close();
      throw error;
    }
  }

  private constructor(options: ReplicaNodeOptions<Machine>, made: Made) {
    const { resources, clock, logger, settings } = made;
    const { identity, members } = resources;
    const servers = Object.entries(members).map(([id, at]) => ({ id, address: at }));
    const { stateMachine, inspect, machine = replicaMachine, seed = randomInt(2 ** 31), snapshotLogBytes } = options;
    this.allowHosts = options.allowHosts ?? [];
    this.#serving = options;
    this.#resources = resources;
    this.#stateMachine = stateMachine;
    this.service = options.service ?? stateMachine.service;
    this.#releaseStateMachine = made.releaseStateMachine;
    this.#clock = clock;
    this.#logger = logger;
    this.#dataDir = options.dataDir;
    this.#noticeLog = new NoticeLog(logger);
    this.#reporter = new NodeReporter({ ...resources, clock, hello: helloOf(options, resources, settings) });
    const { log, transport, calls: meter } = this.#reporter;
    const kept = { snapshots: resources.snapshots, snapshotLogBytes };
    const input = { identity, servers, settings, seed, log, transport, stateMachine, clock, ...kept };
    const observing = { logger, clock, inspectPayloads: options.inspectPayloads ?? false };
    this.actor = createActor(machine, { input, clock, ...inspectionBy(inspect, observing) });
    this.#replica = new Replica<ResultOf<Machine>>({
      actor: this.actor,
      log,
      resultCodec: stateMachine.resultCodec,
      clock,
      chance: Math.random(),
      noticed: (notice) => this.#notice(notice),
      failed: (error) => this.#failed(error),
      warn: (problem) => logger.warn({ event: 'result codec' }, problem),
      explained: (error) => inDirectory(error, this.#dataDir),
      meter,
    });
    this.state = this.#replica.view;
    this.#reporter.attach(reportedNode(this, this.#replica));
    this.#watch = new LeaderWatch({
      clock,
      patienceMs: settings.ELECTION_TIMEOUT_MAX * 4,
      why: () => whyNoLeader(this.#replica.state),
      tell: (why) => logger.warn({ event: 'no leader', term: this.state.term }, why),
    });
    guardObservers(this.actor, observing);
  }

  /** The state machine itself. Reading it directly is a stale read; changing it breaks the cluster. */
  get stateMachine(): Machine {
    return this.#stateMachine;
  }

  /** Under which this node listens: host:port. */
  get address(): string {
    return this.state.address;
  }

  /**
   * Replicates a command and resolves to the state machine's result once a majority has it on disk and it is applied.
   * Any node takes it and passes it on to the leader. Rejects with NO_LEADER or NO_QUORUM (nothing was done), or with
   * OUTCOME_UNKNOWN once it may have been appended.
   */
  propose(command: CommandOf<Machine>, options: CallOptions = {}): Promise<ResultOf<Machine>> {
    return propose(this.#replica, this.#stateMachine, command, options);
  }

  /** Runs `query` once the state machine here holds every write acknowledged before the call, and tells it which log index it reads. */
  read<Value>(query: (stateMachine: Machine, index: Index) => Value, options: ReadOptions = {}): Promise<Value> {
    if (options.consistency === 'stale') this.#reporter.countStaleRead();
    return read(this.#replica, this.#stateMachine, query, options);
  }

  /**
   * Takes a snapshot now, and resolves once it is durable; one that is being taken already will do. Rejects with SNAPSHOT_FAILED, and
   * with OUTCOME_UNKNOWN after `timeoutMs` (default 60,000): it goes on then.
   */
  snapshot(options: CallOptions = {}): Promise<TakenSnapshot> {
    return snapshot(this.#replica, options);
  }

  /** Like `propose`, for bytes that the state machine's codec has made, and with a callback. */
  submit(command: Uint8Array, request: CallRequest<ResultOf<Machine>>): void {
    this.#replica.propose(command, request);
  }

  /** @internal What `GET /v1/events` and `GET /metrics` are answered from. */
  get reports(): NodeReports {
    return this.#reporter;
  }

  /** Whether this process stood still a moment ago, and has not read yet all that came meanwhile. */
  get isReadingBacklog(): boolean {
    return this.#replica.isReadingBacklog;
  }

  /** Like `read`, with a callback: it is called when this node's state machine may be read. */
  ask(request: CallRequest<undefined> & Pick<ReadOptions, 'consistency'>): void {
    this.#replica.read(request);
  }

  /** Tells at once who leads, as far as this node knows, and again at each change. Returns how to stop. */
  watchLeader(tell: (news: LeaderNews) => void): () => void {
    return this.#replica.watchLeader((news) => {
      tell({ ...news, members: this.status().members.map(({ id, address }) => ({ id, address })) });
    });
  }

  /** Resolves to the leader's id as soon as this node knows of one. */
  async waitForLeader(options: CallOptions = {}): Promise<NodeId> {
    const { timeoutMs, signal } = limitsOf(options, ['timeoutMs', 'signal']);
    return waitForLeader(this.#replica, { clock: this.#clock, timeoutMs, signal });
  }

  /** The document of `GET /v1/status`. */
  status(): NodeStatus {
    const { clusterId } = this.#resources.identity;
    return describe(this.state, { clusterId, version: VERSION, snapshot: this.actor.getSnapshot() });
  }

  /**
   * Why this node should get no requests at the moment: CLOSED, HALTED, STORAGE_FULL, NO_QUORUM, NO_LEADER, or CATCHING_UP while its state machine
   * lacks what was committed when it last found a leader (P48). Undefined where it is ready.
   */
  whyNotReady(): QuorateError | undefined {
    if (this.#closing !== undefined) return new QuorateError('QUORATE_CLOSED', 'this node is closing');
    return this.#replica.whyNotReady();
  }

  /**
   * Stops taking part, makes everything durable, and lets go of files, sockets and timers. Callers that wait are answered. From then
   * on the node's role is `halted`, and it names no leader.
   */
  close(): Promise<void> {
    this.#closing ??= this.#shutDown();
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #start(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#endStart = (error) => (error === undefined ? resolve() : reject(error));
      const abort = (): void => {
        reject(aborted(signal?.reason));
        this.close().catch((err: unknown) => this.#logger.error({ err }, 'could not close in good order'));
      };
      if (signal?.aborted === true) return abort();
      if (signal !== undefined) this.#forgetSignal = whenAborted(signal, abort);
      const warn = (message: string): void => this.#logger.warn({ event: 'connections' }, message);
      this.#stopServing = serve(this, this.#resources.ownServer, this.#serving, { clock: this.#clock, warn });
      this.actor.start();
      this.#watch.start();
    });
  }

  #notice(notice: NodeNotice): void {
    this.#noticeLog.write(notice);
    this.#reporter.notice(notice);
    this.#watch.notice(notice);
    if (notice.type === 'role.changed' && notice.role === 'follower') this.#endStart();
    if (notice.type !== 'node.halted') return;
    this.#watch.stop();
    this.#endStart(notice.error);
  }

  #failed(error: Error): void {
    this.#logger.error({ event: 'halted', err: error }, 'the chart failed: this node has halted');
    this.#endStart(error);
  }

  async #shutDown(): Promise<void> {
    this.#forgetSignal();
    this.#watch.stop();
    this.#replica.close(new QuorateError('QUORATE_CLOSED', 'this node is closed'));
    this.actor.stop();
    this.#replica.takeNoPart();
    this.#reporter.close();
    await this.#stopServing();
    const applied = whenApplied(this.#stateMachine).then(this.#releaseStateMachine);
    await toldWhileItLasts(Promise.all([applied, this.#resources.clear()]), {
      clock: this.#clock,
      tell: (seconds) => this.#logger.warn({ event: 'slow stop' }, notClosedYet(this.#dataDir, seconds)),
    });
  }
}
