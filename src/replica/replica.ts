import type { Actor, AnyActorRef } from 'xstate';
import type { replicaMachine } from '../../machines/replica-machine.js';
import { standingOf } from '../../machines/role.js';
import type { CallRequest } from '../calls/pending-call.js';
import { QuorateError } from '../errors/quorate-error.js';
import { shown } from '../errors/shown.js';
import { WrongState } from '../raft/comparing.js';
import type { NodeNotice } from '../raft/effects.js';
import { NODE_NOTICES, REQUEST_NOTICES } from '../raft/effects.js';
import type { NodeId, Term } from '../raft/numbers-and-ids.js';
import type { ReplicaState } from '../raft/replica-state.js';
import { ReplicaView } from '../raft/replica-view.js';
import type { Clock } from '../seams/clock.js';
import type { LogStore } from '../seams/log-store.js';
import type { Codec } from '../seams/state-machine.js';
import type { CallMeter, WaitingCalls } from './call-meter.js';
import type { ReadCall } from './pending-reads.js';
import { PendingRequests } from './pending-requests.js';
import type { TakenSnapshot } from './pending-snapshots.js';
import { PendingSnapshots } from './pending-snapshots.js';
import { Readiness, whyNoLeader, whyNoQuorum } from './readiness.js';
import { DISK_HANGS, halted, noLeader, storageFull, whyBehind } from './refusals.js';

const RECOVERING = 'this node is recovering its log';

export type ReplicaActor = Actor<typeof replicaMachine>;

export interface ReplicaOptions<Result> {
  /** The chart, created and not started yet. Whoever created it starts and stops it. */
  readonly actor: ReplicaActor;
  readonly log: Pick<LogStore, 'unsyncedBytes'>;
  readonly resultCodec: Codec<Result>;
  readonly clock: Clock;
  /** From 0 up to 1: where the ids of this life's requests begin. */
  readonly chance: number;
  /** Told of every change of the node, its peers and its log, before any caller is answered because of it. */
  readonly noticed: (notice: NodeNotice) => void;
  /** The chart itself failed, which is a bug: it has stopped, wherever it was. */
  readonly failed: (error: Error) => void;
  /** Told once of a mistake in the state machine that halts nothing. */
  readonly warn?: (problem: string) => void;
  /** A halt's cause in the words of whoever can say more, such as in which directory it happened. Default: as it is. */
  readonly explained?: (error: Error) => Error;
  /** Told how the calls fare. Default: nobody is. */
  readonly meter?: CallMeter;
}

/**
 * One replica of one group: the running chart, the requests of its callers, and the reasons why it cannot serve them. A node,
 * an invoked replica and the simulator hold the same; they differ in the seams that the chart was given.
 */
export class Replica<Result> {
  readonly actor: ReplicaActor;
  /** The replica's state, for everybody to read. */
  readonly view: ReplicaView;
  readonly #options: ReplicaOptions<Result>;
  readonly #pendingRequests: PendingRequests<Result>;
  readonly #pendingSnapshots: PendingSnapshots;
  readonly #readiness: Readiness;
  readonly #subscriptions: readonly { unsubscribe(): void }[];
  readonly #waits = new Set<(reason: QuorateError) => void>();
  #closedBy: QuorateError | undefined;
  /** Whether the state machine has been opened in this life. */
  #isReadable = false;
  /** Why this node takes no entries: its disk is full. */
  #fullBy: QuorateError | null = null;

  constructor(options: ReplicaOptions<Result>) {
    const { actor, clock, resultCodec, warn, chance, meter } = options;
    this.#options = options;
    this.actor = actor;
    this.view = new ReplicaView(standingOf(actor));
    this.#pendingRequests = new PendingRequests<Result>({
      send: (event) => actor.send(event),
      clock,
      resultCodec,
      noLeader: () => this.whyNobodyAnswers(),
      whyUnanswered: () => this.#whyUnanswered(),
      whyBehind: () => this.#whyBehind(),
      ...(warn === undefined ? {} : { warn }),
      chance,
      meter,
    });
    this.#pendingSnapshots = new PendingSnapshots(clock, () => actor.send({ type: 'snapshot.asked' }));
    this.#readiness = new Readiness((request) => this.#pendingRequests.read(request));
    this.#subscriptions = [
      ...NODE_NOTICES.map((type) => actor.on(type, (notice) => this.#notice(notice))),
      ...REQUEST_NOTICES.map((type) => actor.on(type, (notice) => this.#pendingRequests.notice(notice))),
      actor.subscribe({ error: (error) => this.#fail(error as Error) }),
    ];
  }

  /** The state that the rules decide from, as of the chart's last event. */
  get state(): ReplicaState {
    return this.actor.getSnapshot().context.state;
  }

  /** A leader that has committed in its own term. */
  get isServing(): boolean {
    return this.actor.getSnapshot().hasTag('writable');
  }

  get haltedBy(): Error | null {
    return this.actor.getSnapshot().context.haltedBy;
  }

  /** Why it was closed; undefined while it is open. */
  get closedBy(): QuorateError | undefined {
    return this.#closedBy;
  }

  /** Whether this process stood still a moment ago, and has not read yet all that came meanwhile. */
  get isReadingBacklog(): boolean {
    return this.#pendingRequests.isReadingBacklog;
  }

  /** Callers of this replica that have no answer yet. */
  get waiting(): WaitingCalls {
    return this.#pendingRequests.waiting;
  }

  /** Replicates a command, encoded by the state machine's codec; `done` gets the state machine's result. */
  propose(command: Uint8Array, request: CallRequest<Result>): void {
    this.#pendingRequests.propose(command, request);
  }

  /**
   * `done` is called once the state machine here holds every write that was acknowledged before the call; for a stale read
   * at once, whatever it holds.
   */
  read(request: ReadCall): void {
    if (request.consistency === 'stale') request.done(this.#whyUnreadable());
    else this.#pendingRequests.read(request);
  }

  /** `done` is told of a snapshot once it is durable: the one that is being taken already, if there is one, or a new one. */
  snapshot(request: CallRequest<TakenSnapshot>): void {
    const { role } = this.view;
    const why = this.#closedBy ?? (role === 'halted' ? halted(this.haltReason()) : undefined);
    if (why !== undefined) request.done(why);
    else if (role === 'recovering') request.done(noLeader('this node is recovering its log; nothing was done'));
    else this.#pendingSnapshots.take(request);
  }

  /** Tells at once who leads, as far as this replica knows, and again at each change. Returns how to stop. */
  watchLeader(tell: (news: { readonly term: Term; readonly leaderId: NodeId | null }) => void): () => void {
    const look = (): void => tell({ term: this.view.term, leaderId: this.view.leaderId });
    const subscription = this.actor.on('leader.changed', look);
    look();
    return () => subscription.unsubscribe();
  }

  /** Calls `fail` once when this replica has no answer for anybody any more: it halted, or is closed. Returns how to stop. */
  whenTurnedAway(fail: (reason: QuorateError) => void): () => void {
    this.#waits.add(fail);
    return () => this.#waits.delete(fail);
  }

  /**
   * Why this replica should get no requests at the moment: HALTED, STORAGE_FULL, NO_QUORUM, NO_LEADER, or CATCHING_UP while its state
   * machine lacks what was committed when it last found a leader (P48). Undefined where it is ready.
   */
  whyNotReady(): QuorateError | undefined {
    const { role } = this.view;
    if (role === 'halted') return halted(this.haltReason());
    if (role === 'recovering') return noLeader(RECOVERING);
    if (this.#fullBy !== null) return this.#fullBy;
    if (this.#isStalled) return noLeader(DISK_HANGS);
    const noQuorum = whyNoQuorum(this.state);
    if (noQuorum !== undefined) return new QuorateError('QUORATE_NO_QUORUM', noQuorum);
    const why = whyNoLeader(this.state);
    if (why !== undefined) return noLeader(why);
    if (role === 'leader' && !this.isServing) return noLeader('the leader is establishing itself');
    return this.#readiness.whyBehind(this.state);
  }

  /** Why a request got no answer at all: nothing was done, and that is said. */
  whyNobodyAnswers(): QuorateError {
    if (this.view.role === 'halted') return halted(this.haltReason());
    if (this.#fullBy !== null) return this.#fullBy;
    if (this.#isStalled) return noLeader(`${DISK_HANGS}; nothing was done, ask another node`);
    const behind = this.#whyBehind();
    if (behind !== undefined) return this.#pendingRequests.overloaded(behind);
    const noQuorum = whyNoQuorum(this.state);
    if (noQuorum !== undefined) return new QuorateError('QUORATE_NO_QUORUM', `${noQuorum}; nothing was done`);
    const why = whyNoLeader(this.state) ?? `leader ${this.view.leaderId} did not answer in time`;
    return noLeader(`${why}; nothing was done, try again`);
  }

  haltReason(): string {
    const { status, context, error } = this.actor.getSnapshot();
    return status === 'error' ? String(error) : (context.haltedBy?.message ?? 'unknown');
  }

  /**
   * Answers everybody who waits with `reason`, or as unknown where a command may have been appended. Nothing that the
   * chart does from then on is told to anybody.
   */
  close(reason: QuorateError): void {
    if (this.#closedBy !== undefined) return;
    this.#closedBy = reason;
    for (const subscription of this.#subscriptions) subscription.unsubscribe();
    this.#turnAway(reason);
  }

  /** For a chart that was stopped: what it was in last is no role any more. `halted` is the one that takes no part. */
  takeNoPart(): void {
    const state = { ...this.state, leaderId: null };
    this.view.follow({ role: () => 'halted', state: () => state });
  }

  get #isStalled(): boolean {
    return this.actor.getSnapshot().hasTag('stalled');
  }

  /** Why not even a stale read is answered: the state machine was never opened, or differs from the others'. Undefined where it may be read. */
  #whyUnreadable(): QuorateError | undefined {
    if (this.#isReadable && !(this.haltedBy instanceof WrongState)) return undefined;
    return this.view.role === 'halted' ? halted(this.haltReason()) : noLeader(RECOVERING);
  }

  #whyBehind(): string | undefined {
    const why = whyBehind(this.#options.log.unsyncedBytes, this.state);
    return why !== undefined && this.view.role === 'leader' ? why : undefined;
  }

  #whyUnanswered(): string | undefined {
    const { leaderId } = this.view;
    const elsewhere = leaderId === this.view.id ? undefined : `leader ${leaderId} has told no result`;
    return whyNoQuorum(this.state) ?? whyNoLeader(this.state) ?? elsewhere;
  }

  #notice(told: NodeNotice): void {
    const { explained = (error) => error, noticed } = this.#options;
    const isError = told.type === 'node.halted' || told.type === 'log.full';
    const notice = isError ? { ...told, error: explained(told.error) } : told;
    if (notice.type === 'state.opened' || notice.type === 'snapshot.installed') this.#isReadable = true;
    if (notice.type === 'log.full') this.#fullBy = storageFull(notice.error);
    if (notice.type === 'log.roomMade') this.#fullBy = null;
    noticed(notice);
    this.#pendingRequests.notice(notice);
    this.#pendingSnapshots.notice(notice);
    this.#readiness.notice(notice);
    if (notice.type === 'node.halted') this.#turnAway(halted(notice.error.message));
  }

  #fail(error: Error): void {
    stopOrphans(this.actor);
    this.takeNoPart();
    this.#turnAway(halted(String(error)));
    this.#options.failed(error);
  }

  /** Fails every pending call, because a replica that has ended can never answer it. */
  #turnAway(reason: QuorateError): void {
    this.#pendingRequests.close(reason);
    this.#pendingSnapshots.close(reason);
    for (const fail of [...this.#waits]) fail(reason);
  }
}

/**
 * XState leaves the actors of a machine that failed running: links would dial and the heartbeat would beat for as long as the process
 * lives. It stops an actor by this event.
 */
function stopOrphans(actor: AnyActorRef): void {
  for (const child of Object.values(actor.getSnapshot().children as Record<string, AnyActorRef | undefined>))
    child?.send({ type: 'xstate.stop' });
}

/**
 * A command as it will stand in the log. What no replica could write or decode would halt them all, for good: it is
 * refused with BAD_REQUEST, and never enters the log.
 */
export function encodeCommand<Command>(codec: Codec<Command>, command: Command): Uint8Array {
  try {
    const payload: unknown = codec.encode(command);
    if (!(payload instanceof Uint8Array))
      throw new TypeError(`expected encode to return a Uint8Array, got ${shown(payload)}`);
    codec.decode(payload);
    return payload;
  } catch (cause) {
    if (cause instanceof QuorateError) throw cause;
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new QuorateError('QUORATE_BAD_REQUEST', `the state machine's codec cannot take this command: ${why}`, {
      cause,
    });
  }
}
