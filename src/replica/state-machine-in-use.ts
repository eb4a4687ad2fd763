import { checkNewStateMachine } from '../../actors/new-state-machines.js';
import { QuorateError } from '../errors/quorate-error.js';
import type { AnyStateMachine } from '../seams/state-machine.js';

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
