import { assign, enqueueActions, sendTo, setup } from 'xstate';
import { asksForSnapshot } from '../src/raft/following.js';
import { invariant } from '../src/raft/invariant.js';
import { nextAfterRejection } from '../src/raft/log-shape.js';
import type { Append, AppendAccepted, AppendRejected, Entry } from '../src/raft/messages.js';
import { advance, greater, NO_INDEX } from '../src/raft/numbers-and-ids.js';
import { parentOf, sendIfRunning } from './actor-refs.js';
import type { LogReport, ReplicatorReport } from './events.js';
import { flightOf, hasRoom } from './flow.js';
import type { InternalEvent, LeaderState, ReplicatorContext, ReplicatorInput } from './replicator-events.js';
import { checkedProgress } from './replicator-invariants.js';
import { knowing, matchOf, snapshotNeeded } from './replicator-progress.js';
import { appendAfter, transmit } from './sending-appends.js';

/** A peer is believed that it has lost entries when it has rejected what it acknowledged so often in a row: one such answer may be old, and come late. */
const DOUBTS = 5;

export interface Answer {
  readonly reply: AppendRejected;
  readonly leader: LeaderState;
}

/** Whether the peer rejects the probe at what it has acknowledged in this term. */
function rejectsAcknowledged(context: ReplicatorContext, { reply, leader }: Answer): boolean {
  const { rejectedIndex } = reply;
  return (
    rejectedIndex > NO_INDEX && rejectedIndex === matchOf(context, leader) && rejectedIndex === context.nextIndex - 1
  );
}

/** The replicator's chart is made of these: the types of its events, its actions and its guards. */
export const replicatorSetup = setup({
  types: { context: {} as ReplicatorContext, events: {} as InternalEvent, input: {} as ReplicatorInput },
  actions: {
    noteLeader: assign(({ context, event }) => ('leader' in event ? knowing(context, event.leader) : {})),
    /**
     * An append without entries, behind everything that was sent: a heartbeat and a read round, and a probe as well. A link
     * keeps order, so a peer that has it has everything before it, and says so; one that lacks something says where. Slow is
     * not lost: nothing is sent again for having no answer yet (P50). A peer that is behind the begin of the log is beaten for, too.
     */
    sendEmptyAppend: enqueueActions(({ context, enqueue }) => {
      const behind = greater(advance(context.nextIndex, -1), context.leader.log.previous.index);
      transmit(enqueue, context, appendAfter(context, behind, []));
    }),
    /** Sends whatever lies in memory and fits the window, as several appends in flight. */
    fillWindow: enqueueActions(({ context, enqueue }) => {
      const { leader, store, flow } = context;
      let { nextIndex, inFlight } = context;
      let isNextOnDisk = false;
      const isThere = nextIndex > leader.log.previous.index;
      while (isThere && nextIndex <= leader.log.lastIndex && hasRoom(inFlight, flow)) {
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
    /** The entry to send next is the one behind the snapshot that the peer installs. */
    standBehindSnapshot: assign(({ context }) => {
      const { matched, leader } = context;
      return checkedProgress(context, {
        nextIndex: advance(greater(matched, leader.log.previous.index), 1),
        inFlight: [],
      });
    }),
    noteLeastSnapshot: assign((_, { reply }: { reply: AppendRejected }) => ({
      leastSnapshot: reply.lastPossibleMatch.index,
    })),
    noteDoubt: enqueueActions(({ context, enqueue }, { reply }: Answer) => {
      const { peer, matched } = context;
      const doubts = context.doubts + 1;
      enqueue.assign({ doubts });
      if (doubts < DOUBTS) return;
      enqueue.assign({ doubts: 0 });
      const holds = reply.lastPossibleMatch.index;
      enqueue.sendTo(parentOf, {
        type: 'peer.lostEntries',
        peer,
        acknowledged: matched,
        holds,
      } satisfies ReplicatorReport);
    }),
    wantSnapshot: sendTo(parentOf, ({ context }): ReplicatorReport => {
      return { type: 'snapshot.wanted', least: context.leastSnapshot };
    }),
    orderInstall: sendTo(parentOf, ({ context }) => snapshotNeeded(context, NO_INDEX)),
    orderReplacement: sendTo(parentOf, ({ context }) => snapshotNeeded(context, context.leastSnapshot)),
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
    /** The peer's own snapshot is damaged: whatever it has acknowledged, it takes no entries before it has another. */
    asksForSnapshot: (_, { reply }: { reply: AppendRejected }) => asksForSnapshot(reply),
    rejectsAcknowledged: ({ context }, answer: Answer) => rejectsAcknowledged(context, answer),
    takesEntries: (_, { reply }: { reply: AppendAccepted }) => reply.matchIndex > NO_INDEX,
    /** The peer does not even hold the entry before the first that this log has. */
    needsSnapshot: ({ context }, { reply, leader }: { reply: AppendRejected; leader: LeaderState }) => {
      const { index } = leader.log.previous;
      return (
        matchOf(context, leader) < index && (reply.rejectedIndex <= index || reply.lastPossibleMatch.index < index)
      );
    },
    /** The store has let go of it since. */
    isGone: (_, { entries }: { entries: readonly Entry[] }) => entries.length === 0,
    reachesLog: ({ context }, { leader }: { leader: LeaderState }) =>
      matchOf(context, leader) >= leader.log.previous.index,
    acceptedWithinLog: (_, { reply, leader }: { reply: AppendAccepted; leader: LeaderState }) =>
      reply.matchIndex >= leader.log.previous.index,
    matchesProbe: ({ context }, { reply }: { reply: AppendAccepted }) => reply.matchIndex >= context.nextIndex - 1,
    needsDisk: ({ context }) => context.isNextOnDisk,
    /** Whether an append is of the present term, and not of one in which this node led before. */
    isOurs: ({ context }, { append }: { append: Append }) =>
      append.term === context.leader.term && append.entries.length > 0,
  },
});
