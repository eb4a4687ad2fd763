import { assign, enqueueActions, sendTo, setup } from 'xstate';
import { QuorateError } from '../src/errors/quorate-error.js';
import { fastTransition } from '../src/fast-transition/fast-transition.js';
import type { Entry } from '../src/raft/entry.js';
import type { Index } from '../src/raft/kinds.js';
import { advance, greater, NO_INDEX } from '../src/raft/kinds.js';
import type { Clock } from '../src/seams/clock.js';
import type { LogStore, ReadLimits } from '../src/seams/log-store.js';
import type { Committed, StateMachine } from '../src/seams/state-machine.js';
import { takeNewStateMachine } from './new-state-machines.js';
import { parentOf, sendOutcome } from './outcomes.js';
import type { ApplierReport } from './reports.js';

export interface ApplierInput {
  readonly store: LogStore;
  readonly stateMachine: StateMachine<unknown, unknown>;
  readonly clock: Clock;
}

export type ApplierEvent =
  /** The log is readable: find out what the state machine holds already. */
  { readonly type: 'state.open' } | { readonly type: 'apply.allowed'; readonly upTo: Index };

export type InternalEvent =
  | ApplierEvent
  | { readonly type: 'opened'; readonly applied: Index }
  | { readonly type: 'applied'; readonly entries: readonly Entry[]; readonly results: readonly unknown[] }
  | { readonly type: 'turn.came' }
  | { readonly type: 'failed'; readonly error: Error };

export interface ApplierContext extends ApplierInput {
  readonly applied: Index;
  readonly allowed: Index;
  /** Monotonic ms; when this spell of work began. */
  readonly busySinceMs: number;
}

/** Applying gives way to sockets and timers after this long. */
const SPELL_MS = 5;
const BATCH: ReadLimits = { maxEntries: 512, maxBytes: 1024 * 1024 };

const applierSetup = setup({
  types: { context: {} as ApplierContext, events: {} as InternalEvent, input: {} as ApplierInput },
  actions: {
    openStateMachine: ({ context, self }) => {
      attempt(
        () => openedAt(context.stateMachine),
        (applied) => sendOutcome(self, { type: 'opened', applied }),
        (error) => sendOutcome(self, { type: 'failed', error }),
      );
    },
    noteOpened: assign((_, { applied }: { applied: Index }) => ({ applied })),
    reportOpened: sendTo(
      parentOf,
      (_, { applied }: { applied: Index }): ApplierReport => ({ type: 'state.opened', applied }),
    ),
    allow: assign({ allowed: ({ context }, { upTo }: { upTo: Index }) => greater(context.allowed, upTo) }),
    noteStart: assign({ busySinceMs: ({ context }) => context.clock.now() }),
    allowAndStart: assign(({ context }, { upTo }: { upTo: Index }) => ({
      allowed: greater(context.allowed, upTo),
      busySinceMs: context.clock.now(),
    })),
    /** Reads what comes next and applies it; both may take their time. */
    applyNext: ({ context, self }) => {
      const { store, stateMachine, applied, allowed } = context;
      const from = advance(applied, 1);
      const fail = (error: Error): void => sendOutcome(self, { type: 'failed', error });
      const limits = { ...BATCH, maxEntries: Math.min(BATCH.maxEntries, allowed - applied) };
      store.read(from, limits, (error, entries) => {
        if (entries === undefined || entries.length === 0)
          return fail(error ?? new Error(`entry ${from} is committed but not in the log`));
        attempt(
          () => {
            const commands = entries.filter(isCommand).map((entry) => committed(stateMachine, entry));
            return commands.length === 0 ? [] : apply(stateMachine, commands);
          },
          (results) => sendOutcome(self, { type: 'applied', entries, results: aligned(entries, results) }),
          fail,
        );
      });
    },
    finish: enqueueActions(({ enqueue }, done: { entries: readonly Entry[]; results: readonly unknown[] }) => {
      const { entries, results } = done;
      enqueue.assign({ applied: (entries.at(-1) as Entry).index });
      enqueue.sendTo(parentOf, { type: 'log.applied', entries, results } as never);
    }),
    giveWay: ({ context, self }) => context.clock.defer(() => sendOutcome(self, { type: 'turn.came' })),
    reportFailure: sendTo(
      parentOf,
      (_, { error }: { error: Error }): ApplierReport => ({ type: 'apply.failed', error }),
    ),
  },
  guards: {
    hasWork: ({ context }) => context.allowed > context.applied,
    isNews: ({ context }, { upTo }: { upTo: Index }) => upTo > context.applied,
    isMoreAllowed: ({ context }, { entries }: { entries: readonly Entry[] }) => {
      return context.allowed > (entries.at(-1) as Entry).index;
    },
    isSpellOver: ({ context }) => context.clock.now() - context.busySinceMs >= SPELL_MS,
  },
});

/** Feeds committed entries to the state machine, in batches, giving way every few milliseconds. */
export const applier = fastTransition(
  applierSetup.createMachine({
    id: 'applier',
    context: ({ input }) => ({ ...input, applied: NO_INDEX, allowed: NO_INDEX, busySinceMs: 0 }),
    initial: 'closed',
    on: {
      'apply.allowed': { actions: { type: 'allow', params: ({ event }) => event } },
      failed: { target: '.failed', actions: { type: 'reportFailure', params: ({ event }) => event } },
    },
    states: {
      closed: { description: 'The log is not readable yet.', on: { 'state.open': 'opening' } },
      opening: {
        description: 'The state machine says how much it has applied already.',
        entry: 'openStateMachine',
        on: {
          opened: {
            target: 'idle',
            actions: [
              { type: 'noteOpened', params: ({ event }) => event },
              { type: 'reportOpened', params: ({ event }) => event },
            ],
          },
        },
      },
      idle: {
        description: 'All that is allowed is applied.',
        always: { guard: 'hasWork', target: 'applying', actions: 'noteStart' },
        on: {
          'apply.allowed': {
            guard: { type: 'isNews', params: ({ event }) => event },
            target: 'applying',
            actions: { type: 'allowAndStart', params: ({ event }) => event },
          },
        },
      },
      applying: {
        description: 'One batch is read and applied.',
        entry: 'applyNext',
        on: {
          applied: [
            { guard: 'isSpellOver', target: 'givingWay', actions: { type: 'finish', params: ({ event }) => event } },
            {
              guard: { type: 'isMoreAllowed', params: ({ event }) => event },
              target: 'applying',
              reenter: true,
              actions: { type: 'finish', params: ({ event }) => event },
            },
            { target: 'idle', actions: { type: 'finish', params: ({ event }) => event } },
          ],
        },
      },
      givingWay: { description: 'Lets sockets and timers have a turn.', entry: 'giveWay', on: { 'turn.came': 'idle' } },
      failed: { description: 'The state machine cannot go on: the node halts.' },
    },
  }),
);

function openedAt(stateMachine: StateMachine<unknown, unknown>): Index | Promise<Index> {
  if (stateMachine.open !== undefined) return stateMachine.open();
  takeNewStateMachine(stateMachine);
  return NO_INDEX;
}

const isCommand = (entry: Entry): boolean => entry.kind === 'command';

function committed(stateMachine: StateMachine<unknown, unknown>, entry: Entry): Committed<unknown> {
  const { index, term, timeMs, payload } = entry;
  try {
    return { index, term, timeMs, command: stateMachine.codec.decode(payload) };
  } catch (cause) {
    throw new QuorateError(
      'QUORATE_DATA_DAMAGED',
      `the state machine's codec cannot decode entry ${index} of the log (${wordsOf(cause)}): was it written with another state machine, or by a later version?`,
      { cause },
    );
  }
}

/** Whatever it throws, at once or later, is told with the entries that it was at. */
function apply(
  stateMachine: StateMachine<unknown, unknown>,
  commands: readonly Committed<unknown>[],
): readonly unknown[] | Promise<readonly unknown[]> {
  const fail = (cause: unknown): never => {
    const [first, last] = [commands[0]?.index, commands.at(-1)?.index];
    throw new Error(`the state machine's apply failed at entries ${first} to ${last}: ${wordsOf(cause)}`, { cause });
  };
  try {
    const results = stateMachine.apply(commands);
    return results instanceof Promise ? results.then(checkedResults).catch(fail) : checkedResults(results);
  } catch (cause) {
    return fail(cause);
  }
}

/** A state machine may be written without types: what it gives is looked at before it is counted. */
function checkedResults(results: unknown): readonly unknown[] {
  if (Array.isArray(results)) return results;
  throw new TypeError(`expected an array with one result for each command, got ${results}`);
}

const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** One result for each entry, undefined where it is no command. */
function aligned(entries: readonly Entry[], results: readonly unknown[]): readonly unknown[] {
  if (results.length === entries.length) return results;
  let next = 0;
  const spread = entries.map((entry) => (isCommand(entry) ? results[next++] : undefined));
  if (next !== results.length) throw new Error(`the state machine gave ${results.length} results for ${next} commands`);
  return spread;
}

/** Runs what may answer at once or later; a failure of either kind is reported, never thrown. */
function attempt<Value>(
  work: () => Value | Promise<Value>,
  done: (value: Value) => void,
  failed: (error: Error) => void,
) {
  const fail = (error: unknown): void => failed(error instanceof Error ? error : new Error(String(error)));
  try {
    const outcome = work();
    if (outcome instanceof Promise) outcome.then(done).catch(fail);
    else done(outcome);
  } catch (error) {
    fail(error);
  }
}
