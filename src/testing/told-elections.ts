import { electionManager } from '../../actors/election-manager.js';
import type { replicaMachine } from '../../machines/index.js';

/** An ElectionManager whose timers never run out. */
const patient = electionManager.provide({ delays: { ELECTION_TIMEOUT: 1e9, CAMPAIGN_TIMEOUT: 1e9, OTHERS_TURN: 1e9 } });

/** The same chart, in which replicas stand for election only where a test says so. */
export function withoutElectionTimers(machine: typeof replicaMachine): typeof replicaMachine {
  return machine.provide({ actors: { electionManager: patient } });
}
