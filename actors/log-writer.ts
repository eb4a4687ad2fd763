import { assign, enqueueActions, fromCallback, sendTo, setup } from 'xstate';
import { fastTransition } from '../src/fast-transition/fast-transition.js';
import type { LogRecord } from '../src/raft/entry.js';
import type { LogPosition } from '../src/raft/kinds.js';
import { greater } from '../src/raft/kinds.js';
import type { PeerMessage } from '../src/raft/messages.js';
import type { Clock } from '../src/seams/clock.js';
import type { LogStore, Recovered } from '../src/seams/log-store.js';
import { parentOf, sendOutcome } from './outcomes.js';
import type { Outlet } from './outlet.js';
import type { LogReport } from './reports.js';

/** A message that waits for the disk, with the way it will leave by. */
export interface HeldMessage {
  readonly outlet: Outlet;
  readonly message: PeerMessage;
}

export interface WriteEvent {
  readonly type: 'log.write';
  readonly records: readonly LogRecord[];
  readonly then: readonly HeldMessage[];
}

export interface LogWriterInput {
  readonly store: LogStore;
  readonly clock: Clock;
  /** How often a sync that is under way is looked at. */
  readonly lookEveryMs: number;
  /** A sync of little that takes longer than this is one of a disk that hangs; a sync of much is given more. */
  readonly patienceMs: number;
}

export type LogWriterEvent =
  | WriteEvent
  | { readonly type: 'interval.passed' }
  | { readonly type: 'store.opened'; readonly recovered: Recovered }
  | { readonly type: 'store.synced' }
  | { readonly type: 'store.failed'; readonly error: Error };

/** What one sync covers. */
export interface Group {
  readonly then: readonly HeldMessage[];
  readonly last: LogPosition | null;
  readonly vote: Extract<LogRecord, { kind: 'vote' }> | null;
  readonly content: 'nothing' | 'messages' | 'records';
  /** What its entries carry: a large one takes even a good disk its time. */
  readonly bytes: number;
}

export interface LogWriterContext extends LogWriterInput {
  /** The group that is being made durable, or was last. */
  readonly syncing: Group;
  /** Gathers while the disk is busy: group commit. */
  readonly gathering: Group;
  /** For how many intervals the sync that is under way has taken. */
  readonly intervalsWaited: number;
}

const NOTHING: Group = { then: [], last: null, vote: null, content: 'nothing', bytes: 0 };

/** A disk that writes this many bytes in a millisecond (16 MiB in a second) is slow, and does not hang. */
const SLOW_DISK_BYTES_PER_MS = 16 * 1024;
/** However much is written, a sync is never waited for longer than by this. */
const MOST_EXTRA_MS = 1_000;

/**
 * Ticks once an interval. One timer for all syncs: a delayed transition for each would cost more than the rest of it. Ticks
 * are counted instead of milliseconds, because a process that stood still runs one tick late and not many.
 */
const intervals = fromCallback<{ type: 'never' }, LogWriterInput>(({ input, sendBack }) => {
  const { clock, lookEveryMs } = input;
  const tick = (): void => {
    timer = clock.setTimeout(tick, lookEveryMs);
    sendBack({ type: 'interval.passed' });
  };
  let timer = clock.setTimeout(tick, lookEveryMs);
  return () => clock.clearTimeout(timer);
});

const logWriterSetup = setup({
  types: {
    context: {} as LogWriterContext,
    events: {} as LogWriterEvent,
    input: {} as LogWriterInput,
  },
  actors: { intervals },
  actions: {
    openStore: ({ context, self }) => {
      const fail = (error: Error): void => sendOutcome(self, { type: 'store.failed', error });
      context.store.open((error, recovered) => {
        if (recovered === undefined) fail(error ?? new Error('log store: no outcome'));
        else sendOutcome(self, { type: 'store.opened', recovered });
      }, fail);
    },
    reportRecovered: sendTo(parentOf, (_, { recovered }: { recovered: Recovered }): LogReport => {
      return { type: 'log.recovered', recovered };
    }),
    /** Readable at once, durable later. */
    stage: ({ context }, { records }: { records: readonly LogRecord[] }) => {
      if (records.length > 0) context.store.append(records);
    },
    gather: assign({ gathering: ({ context }, write: WriteEvent) => join(context.gathering, write) }),
    gatherNewest: assign({
      gathering: ({ context }, { type, records, then }: WriteEvent) => {
        const group = join(context.gathering, { type, records, then: [] });
        return { ...group, then: then.reduce(withNewest, group.then) };
      },
    }),
    beginGroup: assign({ syncing: (_, write: WriteEvent) => join(NOTHING, write), intervalsWaited: 0 }),
    beginGathered: assign({ syncing: ({ context }) => context.gathering, gathering: NOTHING, intervalsWaited: 0 }),
    countInterval: assign({ intervalsWaited: ({ context }) => context.intervalsWaited + 1 }),
    reportStalled: sendTo(
      parentOf,
      ({ context }): LogReport => ({ type: 'log.stalled', waitedMs: waitedMs(context.intervalsWaited, context) }),
    ),
    reportResumed: sendTo(
      parentOf,
      ({ context }): LogReport => ({ type: 'log.resumed', waitedMs: waitedMs(context.intervalsWaited, context) }),
    ),
    syncStore: ({ context, self }) => {
      // Messages alone wait only for what was written before them, and no sync is under way.
      if (context.syncing.content === 'messages') return self.send({ type: 'store.synced' });
      context.store.sync((error) => {
        sendOutcome(self, error === undefined ? { type: 'store.synced' } : { type: 'store.failed', error });
      });
    },
    /** The one door: what waited for the disk leaves, and then the chart learns what is durable. */
    release: enqueueActions(({ context, enqueue }) => {
      const { then, last, vote } = context.syncing;
      enqueue(() => {
        for (const { outlet, message } of then) outlet.send(message);
      });
      if (vote !== null) enqueue.sendTo(parentOf, { type: 'vote.durable', term: vote.term, votedFor: vote.votedFor });
      if (last !== null) enqueue.sendTo(parentOf, { type: 'log.durable', written: last });
    }),
    reportFailure: sendTo(parentOf, (_, { error }: { error: Error }): LogReport => ({ type: 'log.failed', error })),
  },
  guards: {
    hasGathered: ({ context }) => context.gathering.content !== 'nothing',
    /** The first tick may come at any time after the sync began: it ends no whole interval. */
    takesTooLong: ({ context }) => {
      const extraMs = Math.min(MOST_EXTRA_MS, Math.floor(context.syncing.bytes / SLOW_DISK_BYTES_PER_MS));
      return waitedMs(context.intervalsWaited, context) >= context.patienceMs + extraMs;
    },
  },
});

/**
 * Owns the order of durability. Records are staged as they come; one sync at a time makes a whole group of them
 * durable, and while it runs the next group gathers. A sync that does not end is reported (P36), and what is written then
 * still waits for it. After a failure nothing ever leaves again (P31).
 */
export const logWriter = fastTransition(
  logWriterSetup.createMachine({
    id: 'logWriter',
    context: ({ input }) => ({ ...input, syncing: NOTHING, gathering: NOTHING, intervalsWaited: 0 }),
    invoke: { src: 'intervals', input: ({ context }) => context },
    initial: 'opening',
    on: {
      'store.failed': { target: '.failed', actions: { type: 'reportFailure', params: ({ event }) => event } },
      // Only a sync that is under way is counted.
      'interval.passed': {},
    },
    states: {
      opening: {
        description: 'The store recovers what is on disk.',
        entry: 'openStore',
        on: {
          'store.opened': { target: 'idle', actions: { type: 'reportRecovered', params: ({ event }) => event } },
        },
      },
      idle: {
        description: 'All that was written is durable.',
        on: {
          'log.write': {
            target: 'syncing',
            actions: [
              { type: 'stage', params: ({ event }) => event },
              { type: 'beginGroup', params: ({ event }) => event },
            ],
          },
        },
      },
      syncing: {
        description: 'One group is being made durable; the next gathers.',
        entry: 'syncStore',
        on: {
          'log.write': {
            actions: [
              { type: 'stage', params: ({ event }) => event },
              { type: 'gather', params: ({ event }) => event },
            ],
          },
          'store.synced': [
            { guard: 'hasGathered', target: 'syncing', reenter: true, actions: ['release', 'beginGathered'] },
            { target: 'idle', actions: 'release' },
          ],
          'interval.passed': [
            { guard: 'takesTooLong', target: 'stalled', actions: ['countInterval', 'reportStalled'] },
            { actions: 'countInterval' },
          ],
        },
      },
      stalled: {
        description: 'P36: the sync does not end.',
        on: {
          'log.write': {
            actions: [
              { type: 'stage', params: ({ event }) => event },
              { type: 'gatherNewest', params: ({ event }) => event },
            ],
          },
          'store.synced': [
            { guard: 'hasGathered', target: 'syncing', actions: ['release', 'reportResumed', 'beginGathered'] },
            { target: 'idle', actions: ['release', 'reportResumed'] },
          ],
          'interval.passed': { actions: 'countInterval' },
        },
      },
      failed: { description: 'P31: nothing ever leaves again.' },
    },
  }),
);

function join(group: Group, { records, then }: WriteEvent): Group {
  let { last, vote, bytes } = group;
  for (const record of records) {
    if (record.kind === 'vote') vote = record;
    if (record.kind !== 'entries') continue;
    last = record.entries.at(-1) ?? last;
    for (const { payload } of record.entries) bytes += payload.byteLength;
  }
  const position = last === null ? null : { index: last.index, term: last.term };
  const content = records.length > 0 || group.content === 'records' ? 'records' : 'messages';
  return { then: then.length === 0 ? group.then : [...group.then, ...then], last: position, vote, content, bytes };
}

function waitedMs(intervals: number, { lookEveryMs }: LogWriterInput): number {
  return intervals * lookEveryMs;
}

/**
 * While the disk hangs only the newest answer of a kind to each peer is kept: it says all that the ones before it say, and
 * they would be ever more.
 */
function withNewest(waiting: readonly HeldMessage[], { outlet, message }: HeldMessage): readonly HeldMessage[] {
  const isOlder = (other: HeldMessage): boolean => other.outlet === outlet && isSameKind(other.message, message);
  const newest = waiting.filter(isOlder).reduce((newer, older) => joined(older.message, newer), message);
  return [...waiting.filter((other) => !isOlder(other)), { outlet, message: newest }];
}

function isSameKind(a: PeerMessage, b: PeerMessage): boolean {
  if (a.kind !== b.kind) return false;
  if (a.kind === 'append-reply' && b.kind === 'append-reply') return a.accepted === b.accepted;
  return a.kind === 'vote-reply';
}

/** A heartbeat's answer vouches for less of the log than the one before it did. */
function joined(older: PeerMessage, newer: PeerMessage): PeerMessage {
  if (older.kind !== 'append-reply' || newer.kind !== 'append-reply') return newer;
  if (!older.accepted || !newer.accepted || older.term !== newer.term) return newer;
  return { ...newer, matchIndex: greater(older.matchIndex, newer.matchIndex) };
}
