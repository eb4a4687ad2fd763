import { assign, fromCallback, sendTo, setup } from 'xstate';
import type { Snapshot, SnapshotMark } from '../src/raft/snapshot.js';
import type { Clock } from '../src/seams/clock.js';
import type { SnapshotStore } from '../src/seams/snapshot-store.js';
import type { Capture } from '../src/seams/state-machine.js';
import { parentOf } from './actor-refs.js';
import type { SnapshotReport } from './events.js';
import { ImageWriting } from './image-writing.js';

export interface SnapshotTakerInput {
  /** Undefined where nothing can be kept: then each request fails. */
  readonly store: SnapshotStore | undefined;
  readonly clock: Clock;
}

/** An image of the state machine, fixed at `mark`. */
export interface CapturedState {
  readonly capture: Capture;
  readonly mark: SnapshotMark;
}

export type SnapshotTakerEvent =
  /** The log has grown enough, or somebody wants one now. While one is being taken, that one will do. */
  | { readonly type: 'snapshot.asked' }
  | ({ readonly type: 'state.captured' } & CapturedState)
  | { readonly type: 'capture.failed'; readonly reason: string }
  /** The node halts: its state may be wrong, and nothing of an image of it is kept. */
  | { readonly type: 'snapshot.off' };

type InternalEvent =
  | SnapshotTakerEvent
  | { readonly type: 'image.written'; readonly snapshot: Snapshot }
  | { readonly type: 'image.failed'; readonly reason: string };

export interface SnapshotTakerContext extends SnapshotTakerInput {
  readonly captured: CapturedState | undefined;
  /** Monotonic ms; when the image was captured. */
  readonly sinceMs: number;
}

/** Writes one image, and stops when it is not wanted any more. */
const imageWriting = fromCallback<{ type: 'never' }, SnapshotTakerContext>(({ input, sendBack }) => {
  const { store, clock, captured } = input;
  const report = (event: InternalEvent): void => sendBack(event);
  const failed = (reason: string): void => report({ type: 'image.failed', reason });
  if (store === undefined || captured === undefined) return failed('this node keeps no snapshots');
  const writing = new ImageWriting({ store, clock, ...captured }, (error, snapshot) => {
    if (snapshot === undefined) failed(error?.message ?? 'nothing was written');
    else report({ type: 'image.written', snapshot });
  });
  writing.start();
  return () => writing.stop();
});

const snapshotTakerSetup = setup({
  types: {
    context: {} as SnapshotTakerContext,
    events: {} as InternalEvent,
    input: {} as SnapshotTakerInput,
  },
  actors: { imageWriting },
  actions: {
    wantCapture: sendTo(parentOf, (): SnapshotReport => ({ type: 'capture.wanted' })),
    keepCaptured: assign(({ context }, captured: CapturedState) => ({ captured, sinceMs: context.clock.now() })),
    forgetCaptured: assign({ captured: undefined }),
    /** One image is being taken already. */
    releaseCaptured: (_, { capture }: CapturedState) => capture.release(),
    reportTaken: sendTo(parentOf, ({ context }, { snapshot }: { snapshot: Snapshot }): SnapshotReport => {
      return { type: 'snapshot.written', snapshot, tookMs: context.clock.now() - context.sinceMs };
    }),
    reportFailed: sendTo(parentOf, (_, { reason }: { reason: string }): SnapshotReport => {
      return { type: 'snapshot.failed', reason };
    }),
  },
});

/** Takes snapshots for the node's whole life, one at a time, while the state machine goes on: what it writes is an image of it. */
export const snapshotTaker = snapshotTakerSetup.createMachine({
  id: 'snapshotTaker',
  context: ({ input }) => ({ ...input, captured: undefined, sinceMs: 0 }),
  initial: 'idle',
  on: {
    'state.captured': { actions: { type: 'releaseCaptured', params: ({ event }) => event } },
    'snapshot.off': '.idle',
  },
  states: {
    idle: {
      description: 'Waits until the log has grown enough, or somebody asks.',
      on: { 'snapshot.asked': 'capturing' },
    },
    capturing: {
      description: 'Waits for the applier to fix an image, between two batches.',
      entry: 'wantCapture',
      on: {
        'state.captured': { target: 'writing', actions: { type: 'keepCaptured', params: ({ event }) => event } },
        'capture.failed': { target: 'idle', actions: { type: 'reportFailed', params: ({ event }) => event } },
      },
    },
    writing: {
      description: 'Writes the image to the disk in pieces, while writes go on.',
      invoke: { src: 'imageWriting', id: 'imageWriting', input: ({ context }) => context },
      exit: 'forgetCaptured',
      on: {
        'image.written': { target: 'idle', actions: { type: 'reportTaken', params: ({ event }) => event } },
        'image.failed': { target: 'idle', actions: { type: 'reportFailed', params: ({ event }) => event } },
      },
    },
  },
});
