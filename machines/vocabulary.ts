import { setup } from 'xstate';
import { acceptor } from '../actors/acceptor.js';
import { applier } from '../actors/applier.js';
import { electionManager } from '../actors/election-manager.js';
import { heartbeatManager } from '../actors/heartbeat-manager.js';
import { link } from '../actors/link.js';
import { logWriter } from '../actors/log-writer.js';
import { replicator } from '../actors/replicator.js';
import { snapshotInstaller } from '../actors/snapshot-installer.js';
import { snapshotTaker } from '../actors/snapshot-taker.js';
import { QuorateError } from '../src/errors/quorate-error.js';
import {
  answerPeer,
  forwardProposal,
  forwardRead,
  noteUndeliverable,
  refuseProposal,
  refuseRead,
} from '../src/raft/clients.js';
import { noteApplied, noteDurable, noteLeaderDurable } from '../src/raft/commit.js';
import { haltWhoLostEntries, noteOwnHash } from '../src/raft/comparing.js';
import type { Notice } from '../src/raft/effects.js';
import { hasMajority, solicitAgain, startElection, voteDurable } from '../src/raft/elections.js';
import { hearLeader, noteLeaderGone } from '../src/raft/following.js';
import { lacksSnapshotFor } from '../src/raft/installing.js';
import { hearFollower, hearsMajority, propose } from '../src/raft/leading.js';
import { answerRead, noteOpened } from '../src/raft/lease.js';
import { lastPosition } from '../src/raft/log-shape.js';
import { NO_DEADLINE_MS } from '../src/raft/numbers-and-ids.js';
import { askForPreVotesAgain, hasPreVoteMajority, startPreVote } from '../src/raft/pre-vote.js';
import { beginParkedReads } from '../src/raft/reads.js';
import {
  adoptsTerm,
  CANDIDATE_RULES,
  FOLLOWER_RULES,
  FULL_RULES,
  hearsLeaderOfTerm,
  LEADER_RULES,
  NEEDING_SNAPSHOT_RULES,
  PRE_CANDIDATE_RULES,
  receive,
  STALLED_RULES,
} from '../src/raft/receive.js';
import { hasPeers, isAheadOfLog, recover, resumeApplying } from '../src/raft/recover.js';
import { hasCommittedInOwnTerm } from '../src/raft/replica-state.js';
import { actorActions, leadingActions, linkActions } from './actions/actors.js';
import { haltActions, roleActions } from './actions/announce.js';
import { installActions } from './actions/installing.js';
import { action, notice, rule, ruleOfState } from './actions/rule.js';
import { snapshotActions } from './actions/snapshots.js';
import type { EventOf, ReplicaContext, ReplicaEvent, ReplicaInput, ReplicaTag } from './context.js';

/** Requests of this node's own callers; those of its peers are messages. */
const clientActions = {
  propose: rule('client.proposed', (state, { requestId, commands }, surroundings) =>
    propose(state, { from: null, requestId, commands }, surroundings),
  ),
  forwardProposal: rule('client.proposed', (state, { requestId, commands, remainingMs = NO_DEADLINE_MS }) =>
    forwardProposal(state, { requestId, remainingMs, commands }),
  ),
  refuseProposal: rule('client.proposed', (state, { requestId }) => refuseProposal(state, { from: null, requestId })),
  beginRead: rule('client.read', (state, { requestId, byLease }, surroundings) =>
    answerRead(state, { from: null, requestId, byLease }, surroundings),
  ),
  beginParkedReads: ruleOfState((state) => beginParkedReads(state)),
  forwardRead: rule('client.read', (state, { requestId, byLease }) => forwardRead(state, requestId, byLease)),
  refuseRead: rule('client.read', (state, { requestId }) => refuseRead(state, { from: null, requestId })),
  sendResults: rule('results.ready', (state, { to, message }) => answerPeer(state, to, message)),
  noteUndeliverable: rule('link.undeliverable', (state, { message }) => noteUndeliverable(state, message)),
};

const commitActions = {
  noteDurable: rule('log.durable', (state, { written }) => noteDurable(state, written)),
  noteLeaderDurable: rule('log.durable', (state, { written }) => noteLeaderDurable(state, written)),
  haltWhoLostEntries: rule('peer.lostEntries', (state, lost) => haltWhoLostEntries(state, lost)),
  noteOwnHash: rule('state.hashed', (state, hashed) => noteOwnHash(state, hashed)),
  /** So that the next start applies these entries one by one, and that they are known to be committed. */
  noteAppliedInVain: action(({ context, event, enqueue }) => {
    const record = event.type === 'apply.failed' ? event.inVain : undefined;
    if (record !== undefined) enqueue(() => context.logWriter.write([record], []));
  }),
  announceSkip: notice('entry.skipped', (skipped) => skipped),
  noteApplied: rule('log.applied', (state, { entries, results }) => noteApplied(state, entries, results)),
};

const electionActions = {
  startPreVote: rule('election.timedOut', (state, { reason }) => startPreVote(state, reason)),
  askForPreVotesAgain: ruleOfState((state) => askForPreVotesAgain(state)),
  startElection: ruleOfState((state) => startElection(state)),
  startElectionAskedFor: ruleOfState((state) => startElection(state, true)),
  noteLeaderGone: rule('link.closed', (state, closed, { nowMs }) => noteLeaderGone(state, closed, nowMs)),
  solicitAgain: ruleOfState((state) => solicitAgain(state)),
  recordOwnVote: rule('vote.durable', (state, vote) => voteDurable(state, vote)),
  announceElection: notice('election.ended', (ended) => ended),
};

/** Peers' messages: one action for each role, which asks the gate for terms and then the role's rule for the message. */
const receiveActions = {
  receiveAsFollower: rule('peer.received', (state, event, surroundings) =>
    receive(FOLLOWER_RULES, state, event, surroundings),
  ),
  receiveAsPreCandidate: rule('peer.received', (state, event, surroundings) =>
    receive(PRE_CANDIDATE_RULES, state, event, surroundings),
  ),
  receiveAsCandidate: rule('peer.received', (state, event, surroundings) =>
    receive(CANDIDATE_RULES, state, event, surroundings),
  ),
  receiveAsLeader: rule('peer.received', (state, event, surroundings) =>
    receive(LEADER_RULES, state, event, surroundings),
  ),
  receiveWhileStalled: rule('peer.received', (state, event, surroundings) =>
    receive(STALLED_RULES, state, event, surroundings),
  ),
  receiveWhileFull: rule('peer.received', (state, event, surroundings) =>
    receive(FULL_RULES, state, event, surroundings),
  ),
  receiveWhileAwaitingSnapshot: rule('peer.received', (state, event, surroundings) =>
    receive(NEEDING_SNAPSHOT_RULES, state, event, surroundings),
  ),
  /** A part of a message that is not whole yet. */
  hearLeader: rule('peer.heard', (state, { from, atMs }) => hearLeader(state, from, atMs)),
  hearFollower: rule('peer.heard', (state, { from }) => hearFollower(state, from)),
};

const recoveryActions = {
  recover: rule('log.recovered', (state, { recovered }, { nowMs }) => noteOpened(recover(state, recovered), nowMs)),
  announceRecovery: rule('log.recovered', (state, { recovered: { term, log, tornBytes, damagedSnapshots = [] } }) => {
    const recovered = { type: 'node.recovered', term, lastIndex: lastPosition(log).index, tornBytes } as const;
    const damaged = damagedSnapshots.map((reason) => ({ type: 'snapshot.damaged', reason }) as const);
    return { state, effects: [recovered, ...damaged].map((one) => ({ kind: 'notify', notice: one })) };
  }),
  openStateMachine: action(({ context, event, enqueue }) => {
    const snapshots = event.type === 'log.recovered' ? event.recovered?.snapshots : undefined;
    enqueue.sendTo('applier', {
      type: 'state.open',
      snapshots: snapshots ?? [],
      skips: event.type === 'log.recovered' ? event.recovered?.skips : undefined,
      inVain: event.type === 'log.recovered' ? event.recovered?.inVain : undefined,
      damaged: event.type === 'log.recovered' ? event.recovered?.damagedSnapshots : undefined,
      previous: context.state.log.previous.index,
    });
  }),
  resumeApplying: rule('state.opened', (state, opened) => resumeApplying(state, opened)),
  noteAheadOfLog: action(({ context, event, enqueue }) => {
    if (event.type !== 'state.opened') return;
    const haltedBy = new QuorateError(
      'QUORATE_DATA_DAMAGED',
      `the state machine has applied ${event.applied} entries, and the log holds only ${context.state.log.lastIndex}: give it the data directory that belongs to it. If that is gone, leave this node stopped: without its log it has forgotten its votes`,
    );
    enqueue.assign({ haltedBy });
  }),
  noteLackForGood: action(({ event, enqueue }) => {
    if (event.type !== 'state.opened' || event.lacks === undefined) return;
    enqueue.assign({ haltedBy: new QuorateError('QUORATE_DATA_DAMAGED', `${event.lacks.message}. ${NOBODY_TO_ASK}`) });
  }),
};

const NOBODY_TO_ASK = 'There is no peer to fetch one from: put a whole snapshot in its place (docs/operations.md)';

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
  actors: {
    electionManager,
    heartbeatManager,
    logWriter,
    applier,
    acceptor,
    link,
    replicator,
    snapshotTaker,
    snapshotInstaller,
  },
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
    ...snapshotActions,
    ...installActions,
  },
  guards: {
    /** The log goes on behind a snapshot that is damaged. */
    lacksSnapshot: ({ event }) => event.type === 'state.opened' && event.lacks !== undefined,
    lacksSnapshotForGood: ({ context: { state, seams }, event }) => {
      const canAsk = hasPeers(state) && seams.transport.snapshotSource !== undefined;
      return event.type === 'state.opened' && event.lacks !== undefined && !canAsk;
    },
    lacksSnapshotForPeer: ({ context, event }) =>
      event.type === 'snapshot.wanted' && lacksSnapshotFor(context.state, event.least),
    needsSnapshot: ({ context }) => context.state.needsSnapshot,
    isAheadOfLog: ({ context, event }) => event.type === 'state.opened' && isAheadOfLog(context.state, event.applied),
    /** §5.1: the message's term is newer, so that whoever receives it follows. Verdicts other than `adopt` are carried out by the rule `receive`. */
    adoptsTerm: ({ context, event }) => isWhole(event) && adoptsTerm(context.state, event),
    /** It belongs to the receiver's own term, or is none that changes it. */
    keepsTerm: ({ context, event }) => isWhole(event) && !adoptsTerm(context.state, event),
    hearsLeaderOfTerm: ({ context, event }) => isWhole(event) && hearsLeaderOfTerm(context.state, event),
    hasPreVoteMajority: ({ context }) => hasPreVoteMajority(context.state),
    hasMajority: ({ context }) => hasMajority(context.state),
    hearsNoMajority: ({ context }) => !hearsMajority(context.state),
    hasCommittedInOwnTerm: ({ context }) => hasCommittedInOwnTerm(context.state),
  },
});

/** A tool that explores a chart, such as `xstate/graph`, sends events without anything in them, too. */
function isWhole(event: ReplicaEvent): event is EventOf<'peer.received'> {
  return event.type === 'peer.received' && event.message !== undefined;
}
