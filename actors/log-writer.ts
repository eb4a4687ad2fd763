import type { AnyActorRef } from 'xstate';
import { assign, enqueueActions, sendParent, setup } from 'xstate';
import type { LogRecord } from '../src/raft/entry.js';
import type { LogPosition } from '../src/raft/kinds.js';
import type { PeerMessage } from '../src/raft/messages.js';
import type { LogStore, Recovered } from '../src/seams/log-store.js';
import type { SendEvent } from './link.js';
import { isRunning, sendOutcome } from './outcomes.js';
import type { LogReport } from './reports.js';
import { swift } from './swift.js';

/** A message that waits for the disk, with the link it will leave by. */
export interface Waiting {
  readonly link: AnyActorRef;
  readonly message: PeerMessage;
}

export interface WriteEvent {
  readonly type: 'log.write';
  readonly records: readonly LogRecord[];
  readonly then: readonly Waiting[];
}

export type LogWriterEvent =
  | WriteEvent
  | { readonly type: 'store.opened'; readonly recovered: Recovered }
  | { readonly type: 'store.synced' }
  | { readonly type: 'store.failed'; readonly error: Error };

/** What one sync covers. */
export interface Group {
  readonly then: readonly Waiting[];
  readonly last: LogPosition | null;
  readonly vote: Extract<LogRecord, { kind: 'vote' }> | null;
  readonly content: 'nothing' | 'messages' | 'records';
}

export interface LogWriterContext {
  readonly store: LogStore;
  /** The group that is being made durable, or was last. */
  readonly syncing: Group;
  /** Gathers while the disk is busy: group commit. */
  readonly gathering: Group;
}

const NOTHING: Group = { then: [], last: null, vote: null, content: 'nothing' };

const logWriterSetup = setup({
  types: {
    context: {} as LogWriterContext,
    events: {} as LogWriterEvent,
    input: {} as { readonly store: LogStore },
  },
  actions: {
    openStore: ({ context, self }) => {
      context.store.open((error, recovered) => {
        if (recovered === undefined)
          sendOutcome(self, { type: 'store.failed', error: error ?? new Error('log store: no outcome') });
        else sendOutcome(self, { type: 'store.opened', recovered });
      });
    },
    reportRecovered: sendParent((_, { recovered }: { recovered: Recovered }): LogReport => {
      return { type: 'log.recovered', recovered };
    }),
    /** Readable at once, durable later. */
    stage: ({ context }, { records }: { records: readonly LogRecord[] }) => {
      if (records.length > 0) context.store.append(records);
    },
    gather: assign({ gathering: ({ context }, write: WriteEvent) => join(context.gathering, write) }),
    beginGroup: assign({ syncing: (_, write: WriteEvent) => join(NOTHING, write) }),
    beginGathered: assign({ syncing: ({ context }) => context.gathering, gathering: NOTHING }),
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
      for (const { link, message } of then) {
        if (isRunning(link)) enqueue.sendTo(link, { type: 'link.send', message } satisfies SendEvent);
      }
      if (vote !== null) enqueue.sendTo(parentOf, { type: 'vote.durable', term: vote.term, votedFor: vote.votedFor });
      if (last !== null) enqueue.sendTo(parentOf, { type: 'log.durable', written: last });
    }),
    reportFailure: sendParent((_, { error }: { error: Error }): LogReport => ({ type: 'log.failed', error })),
  },
  guards: { hasGathered: ({ context }) => context.gathering.content !== 'nothing' },
});

/**
 * Owns the order of durability. Records are staged as they come; one sync at a time makes a whole group of them
 * durable, and while it runs the next group gathers. After a failure nothing ever leaves again (P31).
 */
export const logWriter = swift(
  logWriterSetup.createMachine({
    id: 'logWriter',
    context: ({ input }) => ({ store: input.store, syncing: NOTHING, gathering: NOTHING }),
    initial: 'opening',
    on: { 'store.failed': { target: '.failed', actions: { type: 'reportFailure', params: ({ event }) => event } } },
    states: {
      opening: {
        entry: 'openStore',
        on: {
          'store.opened': { target: 'idle', actions: { type: 'reportRecovered', params: ({ event }) => event } },
        },
      },
      idle: {
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
        },
      },
      failed: {},
    },
  }),
);

function parentOf({ self }: { self: { _parent?: AnyActorRef } }): AnyActorRef {
  return self._parent as AnyActorRef;
}

function join(group: Group, { records, then }: WriteEvent): Group {
  let { last, vote } = group;
  for (const record of records) {
    if (record.kind === 'vote') vote = record;
    if (record.kind === 'entries') last = record.entries.at(-1) ?? last;
  }
  const position = last === null ? null : { index: last.index, term: last.term };
  const content = records.length > 0 || group.content === 'records' ? 'records' : 'messages';
  return { then: then.length === 0 ? group.then : [...group.then, ...then], last: position, vote, content };
}
