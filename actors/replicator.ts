import { assign, enqueueActions, sendTo, setup } from 'xstate';
import { fastTransition } from '../src/fast-transition/fast-transition.js';
import { invariant } from '../src/raft/invariant.js';
import { nextAfterRejection, termAt } from '../src/raft/log-shape.js';
import type { Append, AppendAccepted, AppendRejected, Entry } from '../src/raft/messages.js';
import type { Index, LogPosition, NodeId } from '../src/raft/numbers-and-ids.js';
import { advance, greater, NO_INDEX, valueFor } from '../src/raft/numbers-and-ids.js';
import type { ReplicaState } from '../src/raft/replica-state.js';
import type { LogStore, ReadLimits } from '../src/seams/log-store.js';
import { parentOf, sendIfRunning } from './actor-refs.js';
import type { LogReport } from './events.js';
import type { Outlet } from './link.js';
import { checkedProgress } from './replicator-invariants.js';

/** How much a replicator sends at once, and how much it leaves unacknowledged. */
export interface FlowLimits {
  /** One append. An entry larger than this goes alone. */
  readonly append: ReadLimits;
  /** All appends in flight to one peer: another is sent while they are below both. */
  readonly window: ReadLimits;
}

export const DEFAULT_FLOW: FlowLimits = {
  append: { maxEntries: 1_024, maxBytes: 1024 * 1024 },
  window: { maxEntries: 8_192, maxBytes: 8 * 1024 * 1024 },
};

/** The facts that a leader's appends are made of. They travel in the chart's events, so that a replicator knows what the leader knew then. */
export type LeaderState = Pick<ReplicaState, 'term' | 'log' | 'commitIndex' | 'reads' | 'matchIndex'>;

export interface ReplicatorInput {
  readonly peer: NodeId;
  readonly outlet: Outlet;
  readonly store: LogStore;
  readonly leader: LeaderState;
  readonly flow: FlowLimits;
  /** Index of the entry to send next. A new leader starts at its own no-op, so that the probe names the entry before it (§5.3). */
  readonly nextIndex: Index;
}

export type ReplicatorEvent =
  | { readonly type: 'log.grew'; readonly leader: LeaderState }
  | { readonly type: 'beat'; readonly leader: LeaderState }
  /** A read round began: something must be sent that can confirm it. */
  | { readonly type: 'round.began'; readonly leader: LeaderState }
  | { readonly type: 'append.accepted'; readonly reply: AppendAccepted; readonly leader: LeaderState }
  | { readonly type: 'append.rejected'; readonly reply: AppendRejected; readonly leader: LeaderState }
  /** The link did not take this append: too much waits on it. */
  | { readonly type: 'append.refused'; readonly append: Append }
  /** After that: the link takes appends again. */
  | { readonly type: 'room.made'; readonly leader: LeaderState }
  /** The connection is new: whatever was on the old one may be lost. */
  | { readonly type: 'link.opened'; readonly leader: LeaderState };

export type InternalEvent =
  | ReplicatorEvent
  | { readonly type: 'entries.read'; readonly entries: readonly Entry[] }
  | { readonly type: 'read.failed'; readonly error: Error };

export interface InFlight {
  readonly lastIndex: Index;
  readonly entries: number;
  readonly bytes: number;
}

export interface ReplicatorContext extends ReplicatorInput {
  /** The follower is known to equal us up to here: the match index, as of the last event that told of it. */
  readonly matched: Index;
  readonly inFlight: readonly InFlight[];
  /** There was room for more, and what comes next was not in memory: as of the last time that the window was filled. */
  readonly isNextOnDisk: boolean;
}

const replicatorSetup = setup({
  types: { context: {} as ReplicatorContext, events: {} as InternalEvent, input: {} as ReplicatorInput },
  actions: {
    noteLeader: assign(({ context, event }) => ('leader' in event ? knowing(context, event.leader) : {})),
    /**
     * An append without entries, behind everything that was sent: a heartbeat and a read round, and a probe as well. A link
     * keeps order, so a peer that has it has everything before it, and says so; one that lacks something says where. Slow is
     * not lost: nothing is sent again for having no answer yet (P50).
     */
    sendEmptyAppend: enqueueActions(({ context, enqueue }) => {
      transmit(enqueue, context, appendAfter(context, advance(context.nextIndex, -1), []));
    }),
    /** Sends whatever lies in memory and fits the window, as several appends in flight. */
    fillWindow: enqueueActions(({ context, enqueue }) => {
      const { leader, store, flow } = context;
      let { nextIndex, inFlight } = context;
      let isNextOnDisk = false;
      while (nextIndex <= leader.log.lastIndex && hasRoom(inFlight, flow)) {
        const entries = store.cached(nextIndex, flow.append);
        isNextOnDisk = entries === undefined;
        if (entries === undefined || entries.length === 0) break;
        invariant(entries[0]?.index === nextIndex, 'a log store returns the entries that were asked for');
        transmit(enqueue, context, appendAfter(context, advance(nextIndex, -1), entries));
        inFlight = [...inFlight, flightOf(entries)];
        nextIndex = advance(nextIndex, entries.length);
      }
      if (nextIndex > context.nextIndex) enqueue.assign(checkedProgress(context, { nextIndex, inFlight }));
      if (isNextOnDisk !== context.isNextOnDisk) enqueue.assign({ isNextOnDisk });
    }),
    readFromDisk: ({ context, self }) => {
      context.store.read(context.nextIndex, context.flow.append, (error, entries) => {
        if (error === undefined) sendIfRunning(self, { type: 'entries.read', entries: entries ?? [] });
        else sendIfRunning(self, { type: 'read.failed', error });
      });
    },
    /** A log that cannot be read is not to be trusted: the node halts. */
    reportFailure: sendTo(parentOf, (_, { error }: { error: Error }): LogReport => ({ type: 'log.failed', error })),
    sendRead: enqueueActions(({ context, enqueue }, { entries }: { entries: readonly Entry[] }) => {
      const first = entries[0];
      if (first === undefined || first.index !== context.nextIndex) return;
      transmit(enqueue, context, appendAfter(context, advance(first.index, -1), entries));
      const nextIndex = advance(context.nextIndex, entries.length);
      enqueue.assign(checkedProgress(context, { inFlight: [...context.inFlight, flightOf(entries)], nextIndex }));
    }),
    stepBack: assign(({ context }, { reply }: { reply: AppendRejected }) => {
      const next = nextAfterRejection(context.leader.log, reply.lastPossibleMatch);
      return checkedProgress(context, { nextIndex: greater(next, advance(context.matched, 1)), inFlight: [] });
    }),
    /** A refused append was not sent, so its first entry is next again. */
    keepPlace: assign(({ context }, { append }: { append: Append }) => {
      const nextIndex = advance(append.previous.index, 1);
      if (nextIndex >= context.nextIndex || nextIndex <= context.matched) return {};
      const inFlight = context.inFlight.filter((flight) => flight.lastIndex < nextIndex);
      return checkedProgress(context, { nextIndex, inFlight });
    }),
    /** The probe will tell what of it arrived. */
    forgetFlights: assign({ inFlight: [] }),
  },
  guards: {
    answersProbe: ({ context }, { reply }: { reply: AppendRejected }) => {
      return reply.rejectedIndex === context.nextIndex - 1;
    },
    /** A rejection of what was acknowledged since is an old one, come late (P14). */
    isNews: ({ context }, { reply, leader }: { reply: AppendRejected; leader: LeaderState }) => {
      return reply.rejectedIndex > matchOf(context, leader);
    },
    /** §5.3: what the peer acknowledged in this term it holds for good. */
    isKnownToMatch: ({ context }, { leader }: { leader: LeaderState }) => {
      return matchOf(context, leader) >= context.nextIndex - 1;
    },
    matchesProbe: ({ context }, { reply }: { reply: AppendAccepted }) => reply.matchIndex >= context.nextIndex - 1,
    needsDisk: ({ context }) => context.isNextOnDisk,
    /** Whether an append is of the present term, and not of one in which this node led before. */
    isOurs: ({ context }, { append }: { append: Append }) =>
      append.term === context.leader.term && append.entries.length > 0,
  },
});

/**
 * Brings one follower's log to equal the leader's, for one term. Probing finds where the two agree, a round trip
 * at a time; streaming keeps several appends in flight behind it, as many as the window and the link take. Owns next index,
 * window and mode; the match index that commits is the chart's. Only what a rejection proves lost is sent again.
 */
export const replicator = fastTransition(
  replicatorSetup.createMachine({
    id: 'replicator',
    context: ({ input }) => ({ ...input, matched: NO_INDEX, inFlight: [], isNextOnDisk: false }),
    initial: 'probing',
    // In states that send nothing now the leader's new state is kept for later.
    on: { 'log.grew': { actions: 'noteLeader' } },
    states: {
      probing: {
        description: 'Finds the place where the two logs agree, a round trip at a time.',
        entry: 'sendEmptyAppend',
        on: {
          // The lost probe is sent again from the same place.
          'link.opened': { target: 'probing', reenter: true, actions: 'noteLeader' },
          beat: { actions: ['noteLeader', 'sendEmptyAppend'] },
          'round.began': { actions: ['noteLeader', 'sendEmptyAppend'] },
          // The chart passed no answer on, because the peer had the whole log; the match index says that the probe matched.
          'log.grew': {
            guard: { type: 'isKnownToMatch', params: ({ event }) => event },
            target: 'streaming',
            actions: 'noteLeader',
          },
          'append.accepted': {
            guard: { type: 'matchesProbe', params: ({ event }) => event },
            target: 'streaming',
            actions: 'noteLeader',
          },
          'append.rejected': {
            guard: { type: 'answersProbe', params: ({ event }) => event },
            target: 'probing',
            reenter: true,
            actions: ['noteLeader', { type: 'stepBack', params: ({ event }) => event }],
          },
        },
      },
      streaming: {
        description: 'The logs agree up to what is in flight.',
        initial: 'flowing',
        on: {
          'link.opened': { target: 'probing', actions: ['noteLeader', 'forgetFlights'] },
          beat: { actions: ['noteLeader', 'sendEmptyAppend'] },
          'round.began': { actions: ['noteLeader', 'sendEmptyAppend'] },
          'append.accepted': { actions: 'noteLeader' },
          'append.rejected': {
            guard: { type: 'isNews', params: ({ event }) => event },
            target: 'probing',
            actions: ['noteLeader', { type: 'stepBack', params: ({ event }) => event }],
          },
          // A disk read under way is then for a later index; `sendRead` drops it.
          'append.refused': {
            guard: { type: 'isOurs', params: ({ event }) => event },
            actions: { type: 'keepPlace', params: ({ event }) => event },
          },
        },
        states: {
          flowing: {
            description: 'Sends what lies in memory, as far as the window has room.',
            entry: 'fillWindow',
            always: { guard: 'needsDisk', target: 'reading' },
            on: {
              'log.grew': { actions: ['noteLeader', 'fillWindow'] },
              'append.accepted': { actions: ['noteLeader', 'fillWindow'] },
              'append.refused': {
                guard: { type: 'isOurs', params: ({ event }) => event },
                target: 'waitingForRoom',
                actions: { type: 'keepPlace', params: ({ event }) => event },
              },
            },
          },
          reading: {
            description: 'What comes next is no longer in memory.',
            entry: 'readFromDisk',
            on: {
              'read.failed': {
                target: '#replicator.failed',
                actions: { type: 'reportFailure', params: ({ event }) => event },
              },
              'entries.read': { target: 'flowing', actions: { type: 'sendRead', params: ({ event }) => event } },
            },
          },
          waitingForRoom: {
            description: 'The link refused an append: too much waits on it.',
            on: { 'room.made': { target: 'flowing', actions: 'noteLeader' } },
          },
        },
      },
      failed: { description: 'The log cannot be read: the node halts.' },
    },
  }),
);

/** Carried out in order with whatever else is enqueued. */
type Enqueue = (action: () => void) => void;

function transmit(enqueue: Enqueue, { outlet }: ReplicatorContext, message: Append): void {
  enqueue(() => outlet.send(message));
}

function appendAfter({ leader }: ReplicatorContext, index: Index, entries: readonly Entry[]): Append {
  const { term, log, commitIndex, reads } = leader;
  const previousTerm = termAt(log, index);
  invariant(previousTerm !== undefined, 'what a leader sends follows an entry of its own log');
  const previous: LogPosition = { index, term: previousTerm };
  return { kind: 'append', term, previous, entries, commitIndex, readRound: reads.current };
}

function matchOf({ peer, matched }: ReplicatorContext, leader: LeaderState): Index {
  return greater(matched, valueFor(leader.matchIndex, peer) ?? NO_INDEX);
}

/** The leader's state, and what the peer has acknowledged by it. */
function knowing(context: ReplicatorContext, leader: LeaderState): Partial<ReplicatorContext> {
  const matched = matchOf(context, leader);
  if (matched === context.matched) return checkedProgress(context, { leader });
  return checkedProgress(context, {
    leader,
    matched,
    nextIndex: greater(context.nextIndex, advance(matched, 1)),
    inFlight: context.inFlight.filter((flight) => flight.lastIndex > matched),
  });
}

function hasRoom(inFlight: readonly InFlight[], { window }: FlowLimits): boolean {
  let entries = 0;
  let bytes = 0;
  for (const flight of inFlight) {
    entries += flight.entries;
    bytes += flight.bytes;
  }
  return entries < window.maxEntries && bytes < window.maxBytes;
}

function flightOf(entries: readonly Entry[]): InFlight {
  const bytes = entries.reduce((sum, entry) => sum + entry.payload.byteLength, 0);
  return { lastIndex: (entries.at(-1) as Entry).index, entries: entries.length, bytes };
}
