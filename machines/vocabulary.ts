import { setup } from 'xstate';
import { acceptor } from '../actors/acceptor.js';
import { applier } from '../actors/applier.js';
import { electionManager } from '../actors/election-manager.js';
import { heartbeatManager } from '../actors/heartbeat-manager.js';
import { link } from '../actors/link.js';
import { logWriter } from '../actors/log-writer.js';
import { replicator } from '../actors/replicator.js';
import { hasMajority } from '../src/raft/elections.js';
import type { Notice } from '../src/raft/notices.js';
import { adoptsTerm, hearsLeaderOfTerm } from '../src/raft/receive.js';
import { isAheadOfLog } from '../src/raft/recover.js';
import { hasCommittedInOwnTerm } from '../src/raft/replica-state.js';
import { actorActions } from './actions/actors.js';
import { clientActions } from './actions/clients.js';
import { commitActions } from './actions/commit.js';
import { electionActions } from './actions/elections.js';
import { haltActions } from './actions/halting.js';
import { leadingActions } from './actions/leading.js';
import { linkActions } from './actions/links.js';
import { receiveActions } from './actions/receive.js';
import { recoveryActions } from './actions/recovery.js';
import { roleActions } from './actions/roles.js';
import type { ReplicaContext, ReplicaInput, ReplicaTag } from './context.js';
import type { EventOf, ReplicaEvent } from './events.js';

/**
 * Every name that the chart refers to. An action asks one pure rule and carries out what it decides, or spawns, stops and
 * introduces actors; a guard asks a rule. Nothing here decides what a node is: that is the chart's.
 */
export const replicaSetup = setup({
  types: {
    context: {} as ReplicaContext,
    events: {} as ReplicaEvent,
    input: {} as ReplicaInput,
    emitted: {} as Notice,
    tags: {} as ReplicaTag,
  },
  actors: { electionManager, heartbeatManager, logWriter, applier, acceptor, link, replicator },
  actions: {
    ...recoveryActions,
    ...receiveActions,
    ...electionActions,
    ...leadingActions,
    ...commitActions,
    ...clientActions,
    ...linkActions,
    ...roleActions,
    ...haltActions,
    ...actorActions,
  },
  guards: {
    isAheadOfLog: ({ context, event }) => event.type === 'state.opened' && isAheadOfLog(context.state, event.applied),
    /** §5.1: the message's term is newer, so that whoever receives it follows. The gate's third answer is the rule's (`receive`). */
    adoptsTerm: ({ context, event }) => isWhole(event) && adoptsTerm(context.state, event),
    /** It belongs to the receiver's own term, or is none that changes it. */
    keepsTerm: ({ context, event }) => isWhole(event) && !adoptsTerm(context.state, event),
    hearsLeaderOfTerm: ({ context, event }) => isWhole(event) && hearsLeaderOfTerm(context.state, event),
    hasMajority: ({ context }) => hasMajority(context.state),
    hasCommittedInOwnTerm: ({ context }) => hasCommittedInOwnTerm(context.state),
  },
});

/** What explores a chart, such as `xstate/graph`, sends events without anything in them, too. */
function isWhole(event: ReplicaEvent): event is EventOf<'peer.received'> {
  return event.type === 'peer.received' && event.message !== undefined;
}
