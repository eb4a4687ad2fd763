import { QuorateError } from '../src/errors/quorate-error.js';
import type { Index } from '../src/raft/numbers-and-ids.js';
import { NO_INDEX } from '../src/raft/numbers-and-ids.js';
import type { AnyStateMachine } from '../src/seams/state-machine.js';

/** State machines without `open` that a replica of this process has applied its log to, or was about to. */
const TAKEN = new WeakSet<AnyStateMachine>();

/**
 * Throws CONFIG_INVALID where the log must not be applied to this state machine from its start, because something was applied to
 * it before (P51). One that says in `open` how far it has applied is always right.
 */
function checkNewStateMachine(stateMachine: AnyStateMachine): void {
  if (stateMachine.open !== undefined) return;
  if (TAKEN.has(stateMachine)) throw notNew('it has been used by a node of this process');
  if (stateMachine.hasApplied?.() === true) throw notNew('something was applied to it or restored into it');
}

/** The index up to which it has applied, as it says itself; 0 for one that keeps nothing, which has to be new. */
export function openedAt(stateMachine: AnyStateMachine): Index | Promise<Index> {
  if (stateMachine.open !== undefined) return stateMachine.open();
  takeNewStateMachine(stateMachine);
  return NO_INDEX;
}

/** Like `checkNewStateMachine`; and from now on this state machine is not new any more. */
function takeNewStateMachine(stateMachine: AnyStateMachine): void {
  checkNewStateMachine(stateMachine);
  TAKEN.add(stateMachine);
}

function notNew(why: string): QuorateError {
  return new QuorateError(
    'QUORATE_CONFIG_INVALID',
    `expected a new state machine, got one that is not: ${why}, and the whole log would be applied on top of that. Give each node, at each open, a new one; or one with open(), which says up to which index it has applied`,
  );
}

/** State machines of this process's nodes that are open, or being opened. */
const IN_USE = new WeakSet<AnyStateMachine>();

/** Reserves a state machine for one node, or throws CONFIG_INVALID. The function returned lets it go. */
export function reserveStateMachine(stateMachine: AnyStateMachine): () => void {
  if (IN_USE.has(stateMachine)) {
    throw new QuorateError(
      'QUORATE_CONFIG_INVALID',
      'expected a state machine of this node alone, got one that another node of this process uses: both would apply every entry to it. Give each node its own',
    );
  }
  checkNewStateMachine(stateMachine);
  IN_USE.add(stateMachine);
  return () => void IN_USE.delete(stateMachine);
}

/** Batches that state machines are applying, where that takes more than one turn. */
const APPLYING = new WeakMap<AnyStateMachine, Promise<void>>();

/** `batch` settles when the state machine has applied it, or has failed to. */
export function noteApplying(stateMachine: AnyStateMachine, batch: Promise<unknown>): void {
  const over = batch.then(
    () => undefined,
    () => undefined,
  );
  APPLYING.set(stateMachine, over);
}

/** Resolves when the state machine is not applying anything any more. A batch that it was given cannot be taken back. */
export async function whenApplied(stateMachine: AnyStateMachine): Promise<void> {
  await APPLYING.get(stateMachine);
}
