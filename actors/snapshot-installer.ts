import { assign, fromCallback, sendTo, setup } from 'xstate';
import type { InstallOrder } from '../src/raft/effects.js';
import type { LogPosition } from '../src/raft/numbers-and-ids.js';
import type { Snapshot } from '../src/raft/snapshot.js';
import type { FetchProblem, SnapshotSource } from '../src/seams/snapshot-source.js';
import type { SnapshotTransfers } from '../src/seams/snapshot-store.js';
import { parentOf } from './actor-refs.js';
import type { InstallReport } from './events.js';
import { SnapshotFetching } from './snapshot-fetching.js';

export interface SnapshotInstallerInput {
  /** Undefined where nothing can be kept: then no snapshot is installed. */
  readonly store: Pick<SnapshotTransfers, 'receive'> | undefined;
  /** Undefined where the transport carries no snapshots. */
  readonly source: SnapshotSource | undefined;
  /** The first wait before a peer is asked again, ms; it doubles up to `LONGEST_WAIT_MS`. */
  readonly waitMs: number;
}

export type SnapshotInstallerEvent =
  /** The leader says, again and again, that this snapshot is needed. */
  | { readonly type: 'install.ordered'; readonly order: InstallOrder }
  /** The log says that the snapshot may take its place. */
  | { readonly type: 'install.allowed'; readonly snapshot: LogPosition }
  /** None is needed any more, or it is installed. */
  | { readonly type: 'install.off' };

type Problem = FetchProblem | 'damaged' | 'disk';

type InternalEvent =
  | SnapshotInstallerEvent
  | { readonly type: 'fetch.begun' }
  | { readonly type: 'fetch.progressed'; readonly received: number; readonly bytes: number }
  | { readonly type: 'fetch.arrived' }
  | { readonly type: 'fetch.finished'; readonly snapshot: Snapshot }
  | { readonly type: 'fetch.failed'; readonly problem: Problem; readonly reason: string };

type FetchEvent = { readonly type: 'fetch' } | { readonly type: 'finish' };

export interface SnapshotInstallerContext extends SnapshotInstallerInput {
  /** The snapshot that is being fetched. */
  readonly order: InstallOrder | undefined;
  /** The newest that the leader spoke of. */
  readonly newest: InstallOrder | undefined;
  /** Attempts in a row that brought nothing. */
  readonly failures: number;
  /** How often in a row the disk has not taken a file, whichever it was. */
  readonly diskFailures: number;
}

const LONGEST_WAIT_MS = 1_000;
/** After a file that the disk did not take, as where there is no room for it: all of it would be fetched in vain again. */
const FIRST_DISK_PAUSE_MS = 1_000;
const LONGEST_DISK_PAUSE_MS = 30_000;
/** Progress is told about so often for one file. */
const PROGRESS_STEPS = 100;

/** Fetches the file of one order, in as many attempts as it is asked for. What it has is dropped when it stops. */
const fetching = fromCallback<FetchEvent, SnapshotInstallerContext>(({ input, sendBack, receive }) => {
  const { store, source, order } = input;
  const report = (event: InternalEvent): void => sendBack(event);
  if (order === undefined || store === undefined || source === undefined) {
    const reason = store === undefined ? 'this node keeps no snapshots' : 'its transport carries none';
    receive(() => report({ type: 'fetch.failed', problem: 'disk', reason }));
    return;
  }
  let toldOf = 0;
  const fetch = new SnapshotFetching({
    source,
    store,
    order,
    events: {
      begun: () => report({ type: 'fetch.begun' }),
      progressed: (received, bytes) => {
        if (received < bytes && received >= toldOf && received - toldOf < bytes / PROGRESS_STEPS) return;
        toldOf = received;
        report({ type: 'fetch.progressed', received, bytes });
      },
      arrived: () => report({ type: 'fetch.arrived' }),
      finished: (snapshot) => report({ type: 'fetch.finished', snapshot }),
      failed: (problem, reason) => report({ type: 'fetch.failed', problem, reason }),
    },
  });
  receive(({ type }) => (type === 'fetch' ? fetch.ask() : fetch.finish()));
  return () => fetch.stop();
});

const installerSetup = setup({
  types: {
    context: {} as SnapshotInstallerContext,
    events: {} as InternalEvent,
    input: {} as SnapshotInstallerInput,
  },
  actors: { fetching },
  actions: {
    noteOrder: assign((_, { order }: { order: InstallOrder }) => ({ newest: order })),
    takeNewest: assign(({ context }) => ({ order: context.newest, failures: 0 })),
    forget: assign({ order: undefined, newest: undefined, failures: 0 }),
    countFailure: assign(({ context }) => ({ failures: context.failures + 1 })),
    forgetFailures: assign({ failures: 0 }),
    countDiskFailure: assign(({ context }) => ({ diskFailures: context.diskFailures + 1 })),
    forgetDiskFailures: assign({ diskFailures: 0 }),
    ask: sendTo('fetching', { type: 'fetch' }),
    finish: sendTo('fetching', { type: 'finish' }),
    reportProgress: sendTo(
      parentOf,
      ({ context }, { received, bytes }: { received: number; bytes: number }): InstallReport => {
        const { from, snapshot } = context.order as InstallOrder;
        return { type: 'install.progressed', installing: { from, snapshot, bytes, received } };
      },
    ),
    reportArrived: sendTo(parentOf, ({ context }): InstallReport => {
      return { type: 'install.arrived', snapshot: (context.order as InstallOrder).snapshot };
    }),
    reportReceived: sendTo(parentOf, (_, { snapshot }: { snapshot: Snapshot }): InstallReport => {
      return { type: 'snapshot.received', snapshot };
    }),
    reportFailure: sendTo(parentOf, ({ context }, { reason }: { reason: string }): InstallReport => {
      const { from, snapshot } = context.order as InstallOrder;
      return { type: 'install.failed', from, index: snapshot.index, reason };
    }),
    reportEnd: sendTo(parentOf, (): InstallReport => ({ type: 'install.ended' })),
  },
  guards: {
    isGone: (_, { problem }: { problem: Problem }) => problem === 'gone',
    isOfDisk: (_, { problem }: { problem: Problem }) => problem === 'disk',
    isOutdated: ({ context }) => !isSame(context.order, context.newest),
    isAnother: ({ context }, { order }: { order: InstallOrder }) => !isSame(context.order, order),
    isAboutOrder: ({ context }, { snapshot }: { snapshot: LogPosition }) =>
      context.order?.snapshot.index === snapshot.index && context.order.snapshot.term === snapshot.term,
  },
  delays: {
    DISK_PAUSE: ({ context }) =>
      Math.min(LONGEST_DISK_PAUSE_MS, FIRST_DISK_PAUSE_MS * 2 ** Math.min(10, context.diskFailures - 1)),
    NEXT_ATTEMPT: ({ context }) => Math.min(LONGEST_WAIT_MS, context.waitMs * 2 ** Math.min(10, context.failures)),
  },
});

/**
 * Fetches the snapshot that this node's leader says it needs, for the node's whole life, one at a time. While a peer sends, no other
 * order ends that; the newest one counts when an attempt has failed (P58). The rules decide what becomes of the file.
 */
export const snapshotInstaller = installerSetup.createMachine({
  id: 'snapshotInstaller',
  context: ({ input }) => ({ ...input, order: undefined, newest: undefined, failures: 0, diskFailures: 0 }),
  initial: 'idle',
  states: {
    idle: {
      description: 'No snapshot of a peer is needed.',
      entry: 'forget',
      on: {
        'install.ordered': {
          target: 'receiving',
          actions: [{ type: 'noteOrder', params: ({ event }) => event }, 'takeNewest'],
        },
      },
    },
    pausing: {
      description:
        'The peer has that snapshot no more: the same one is asked for again after a while, another one at once.',
      after: { [LONGEST_WAIT_MS]: 'idle' },
      on: {
        'install.ordered': {
          guard: { type: 'isAnother', params: ({ event }) => event },
          target: 'receiving',
          actions: [{ type: 'noteOrder', params: ({ event }) => event }, 'takeNewest'],
        },
      },
    },
    pausingForDisk: {
      description: 'The disk did not take the file: any is asked for again after a while, which is longer each time.',
      after: { DISK_PAUSE: 'idle' },
    },
    receiving: {
      description: 'Takes in the file of one snapshot of one peer.',
      invoke: { src: 'fetching', id: 'fetching', input: ({ context }) => context },
      initial: 'asking',
      on: {
        'install.off': 'idle',
        'install.ordered': { actions: { type: 'noteOrder', params: ({ event }) => event } },
        'fetch.failed': [
          {
            guard: { type: 'isGone', params: ({ event }) => event },
            target: 'pausing',
            actions: [{ type: 'reportFailure', params: ({ event }) => event }, 'reportEnd'],
          },
          {
            guard: { type: 'isOfDisk', params: ({ event }) => event },
            target: 'pausingForDisk',
            actions: [{ type: 'reportFailure', params: ({ event }) => event }, 'countDiskFailure', 'reportEnd'],
          },
          {
            guard: 'isOutdated',
            target: 'receiving',
            reenter: true,
            actions: [{ type: 'reportFailure', params: ({ event }) => event }, 'takeNewest'],
          },
          { target: '.waiting', actions: { type: 'reportFailure', params: ({ event }) => event } },
        ],
      },
      states: {
        asking: {
          description: 'Asks the peer for the bytes that are not here yet.',
          entry: 'ask',
          on: { 'fetch.begun': 'fetching' },
        },
        fetching: {
          description: 'The bytes of the file come in, and are kept aside.',
          on: {
            'fetch.progressed': {
              actions: ['forgetFailures', { type: 'reportProgress', params: ({ event }) => event }],
            },
            'fetch.arrived': 'checking',
          },
        },
        checking: {
          description: 'The file is here: once the log says so, it is verified and put in its place.',
          entry: 'reportArrived',
          on: {
            'install.allowed': {
              guard: { type: 'isAboutOrder', params: ({ event }) => event },
              actions: 'finish',
            },
            'fetch.finished': {
              target: '#snapshotInstaller.installing',
              actions: ['forgetDiskFailures', { type: 'reportReceived', params: ({ event }) => event }],
            },
          },
        },
        waiting: {
          description: 'Waits before it asks again, for what is not here yet.',
          entry: 'countFailure',
          after: { NEXT_ATTEMPT: 'asking' },
          on: {
            'install.ordered': [
              {
                guard: { type: 'isAnother', params: ({ event }) => event },
                target: '#snapshotInstaller.receiving',
                reenter: true,
                actions: [{ type: 'noteOrder', params: ({ event }) => event }, 'takeNewest'],
              },
            ],
          },
        },
      },
    },
    installing: {
      description:
        "The snapshot is one of this node's own: the log begins anew behind it, and the state machine is restored.",
      on: { 'install.off': 'idle' },
    },
  },
});

/** Files of the same snapshot differ from node to node. */
function isSame(a: InstallOrder | undefined, b: InstallOrder | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.from === b.from && a.snapshot.index === b.snapshot.index && a.snapshot.term === b.snapshot.term;
}
