import type { AnyActorRef, AnyMachineSnapshot } from 'xstate';
import { assign, emit, enqueueActions, raise, sendTo, setup, stopChild } from 'xstate';
import { acceptor } from '../actors/acceptor.js';
import { applier } from '../actors/applier.js';
import { electionManager } from '../actors/election-manager.js';
import { heartbeatManager } from '../actors/heartbeat-manager.js';
import { link } from '../actors/link.js';
import { logWriter } from '../actors/log-writer.js';
import { isRunning } from '../actors/outcomes.js';
import { replicator } from '../actors/replicator.js';
import type { ApplierReport, ElectionReport, HeartbeatReport, LinkReport, LogReport } from '../actors/reports.js';
import { QuorateError } from '../src/errors/quorate-error.js';
import type { Verdict } from '../src/raft/admit.js';
import { admit } from '../src/raft/admit.js';
import * as commit from '../src/raft/commit.js';
import * as election from '../src/raft/election.js';
import * as follow from '../src/raft/follow.js';
import * as forward from '../src/raft/forward.js';
import type { Index, NodeId } from '../src/raft/kinds.js';
import { NO_DEADLINE_MS, valueFor } from '../src/raft/kinds.js';
import * as lead from '../src/raft/lead.js';
import { lastPosition } from '../src/raft/log-shape.js';
import type { Append, AppendReply, PeerMessage, VoteReply, VoteRequest } from '../src/raft/messages.js';
import { hasTerm } from '../src/raft/messages.js';
import type { Notice, Role } from '../src/raft/notices.js';
import * as peers from '../src/raft/peers.js';
import { derive } from '../src/raft/random.js';
import * as reads from '../src/raft/reads.js';
import * as recovery from '../src/raft/recover.js';
import type { Origin } from '../src/raft/replica-state.js';
import { changed, hasCommittedInOwnTerm } from '../src/raft/replica-state.js';
import type { Standing } from '../src/raft/replica-view.js';
import * as terms from '../src/raft/terms.js';
import { MOST_UNSYNCED_BYTES } from '../src/seams/log-store.js';
import { carryOutEffects } from './actions/carry-out-effects.js';
import type { ClientEvent, PeerEvent, ReplicaContext, ReplicaEvent, ReplicaInput } from './context.js';
import type { ReplicaStateValue } from './role.js';
import { roleOf } from './role.js';

export interface From<Message extends PeerMessage> {
  readonly from: NodeId;
  readonly message: Message;
}
type Report<All, Type extends string> = Extract<All, { type: Type }>;
type Proposed = Report<ClientEvent, 'client.proposed'>;

/**
 * Every name that the chart refers to. An action runs one pure rule and carries out its effects; a guard asks one.
 * Nothing here decides what a node is: that is the chart's.
 */
export const replicaSetup = setup({
  types: {
    context: {} as ReplicaContext,
    events: {} as ReplicaEvent,
    input: {} as ReplicaInput,
    emitted: {} as Notice,
  },
  actors: { electionManager, heartbeatManager, logWriter, applier, acceptor, link, replicator },
  actions: {
    // Lifetimes
    /**
     * From here on `context.state` reads the running actor. This is an action, because an actor has no snapshot while its
     * context is being made, and because actions do not run where a machine is only stepped: `transition()`, `xstate/graph`.
     */
    showChart: ({ context, self }) => context.state.follow(standingOf(() => self.getSnapshot())),
    introduceManagers: enqueueActions(({ enqueue, self }) => {
      const { electionManager: elections, heartbeatManager: heartbeats } = childrenOf(self);
      if (elections === undefined || heartbeats === undefined) return;
      enqueue(sendTo(elections as AnyActorRef, { type: 'manager.introduced', heartbeatManager: heartbeats }));
      enqueue(sendTo(heartbeats as AnyActorRef, { type: 'manager.introduced', electionManager: elections }));
    }),
    tellManagers: enqueueActions(({ enqueue, self }, { role }: { role: Role | 'stalled' }) => {
      const children = childrenOf(self);
      for (const id of ['electionManager', 'heartbeatManager'] as const) {
        // A manager that failed is why the node halts: it takes no more events.
        const manager = children[id];
        if (manager === undefined || isRunning(manager)) enqueue.sendTo(id, { type: 'role.entered', role });
      }
    }),
    spawnLinks: assign({
      links: ({ context, spawn }) => {
        const { identity, transport, seed } = context.seams;
        const { settings } = context.raft;
        const dial = (id: NodeId, address: string) => {
          const chance = derive(seed, `link ${identity.nodeId} ${id}`);
          return spawn('link', {
            id: `link.${id}`,
            input: { transport, identity, settings, peer: { id, address }, chance },
          });
        };
        const servers = Object.values(context.raft.peers);
        return Object.fromEntries(servers.map(({ id, address }) => [id, dial(id, address)]));
      },
    }),
    dialNow: enqueueActions(({ context, enqueue }, { from }: { from: NodeId }) => {
      const link = valueFor(context.links, from);
      if (link !== undefined) enqueue.sendTo(link, { type: 'peer.arrived' });
    }),
    resetLinks: enqueueActions(({ context, enqueue }) => {
      const reset = { type: 'link.reset', reason: 'it led, and its disk hangs' } as const;
      for (const ref of Object.values(context.links)) enqueue.sendTo(ref, reset);
    }),
    stopLinks: enqueueActions(({ context, enqueue }) => {
      for (const ref of Object.values(context.links)) enqueue(stopChild(ref));
      enqueue.assign({ links: {} });
    }),
    spawnReplicators: assign({
      replicators: ({ context, spawn }) => {
        const { raft, state, seams, flow, links } = context;
        const { term } = raft;
        const follow = (peer: NodeId, to: AnyActorRef) => {
          const input = { peer, link: to, store: seams.log, state, flow, term, nextIndex: raft.log.lastIndex };
          return spawn('replicator', { id: `replicator.${peer}`, input });
        };
        return Object.fromEntries(Object.entries(links).map(([peer, ref]) => [peer, follow(peer, ref)]));
      },
    }),
    stopReplicators: enqueueActions(({ context, enqueue }) => {
      for (const ref of Object.values(context.replicators)) enqueue(stopChild(ref));
      enqueue.assign({ replicators: {} });
    }),
    announce: emit(({ context }, { role, reason }: { role: Role; reason: string }) => {
      return { type: 'role.changed', role, term: context.raft.term, reason } as const;
    }),
    announceServing: emit(({ context }) => ({ type: 'leader.serving', term: context.raft.term }) as const),
    announceElection: emit((_, report: Report<ElectionReport, 'election.ended'>) => report),
    announceRefusal: emit((_, { reason }: { reason: string }) => ({ type: 'connection.refused', reason }) as const),
    announceLog: emit((_, report: Report<LogReport, 'log.stalled' | 'log.resumed'>) => report),
    noteHalt: assign((_, { error }: { error: Error }) => ({ haltedBy: error })),
    announceHalt: emit((_, { error }: { error: Error }) => ({ type: 'node.halted', error }) as const),

    // Recovery
    remember: assign({
      raft: ({ context }, { recovered }: Report<LogReport, 'log.recovered'>) => {
        return recovery.remember(context.raft, recovered);
      },
    }),
    announceRecovery: emit((_, { recovered }: Report<LogReport, 'log.recovered'>) => {
      const { term, log, tornBytes } = recovered;
      return { type: 'node.recovered', term, lastIndex: lastPosition(log).index, tornBytes } as const;
    }),
    openStateMachine: sendTo('applier', { type: 'state.open' }),
    noteLogMissing: assign(({ context }, { applied }: { applied: Index }) => ({
      haltedBy: new QuorateError(
        'QUORATE_DATA_DAMAGED',
        `the state machine has applied ${applied} entries, and the log holds only ${context.raft.log.lastIndex}: give it the data directory that belongs to it. If that is gone, leave this node stopped: without its log it has forgotten its votes`,
      ),
    })),
    resumeApplying: enqueueActions(({ context, enqueue }, { applied }: { applied: Index }) => {
      carryOutEffects(enqueue, context, () => recovery.resumeApplying(context.raft, applied));
    }),

    // Peers' messages
    deliver: raise((_, received: From<PeerMessage> & { atMs: number }) => delivered(received)),
    adoptTerm: enqueueActions(({ context, enqueue }, { message }: { message: PeerMessage }) => {
      if (hasTerm(message)) carryOutEffects(enqueue, context, () => terms.adoptTerm(context.raft, message.term));
    }),
    refuse: enqueueActions(({ context, enqueue }, { from, message }: From<PeerMessage>) => {
      carryOutEffects(enqueue, context, () => terms.refuseOldTerm(context.raft, from, message));
    }),
    hearLeader: enqueueActions(({ context, enqueue }, { from, atMs }: { from: NodeId; atMs: number }) => {
      carryOutEffects(enqueue, context, () => follow.hearLeader(context.raft, from, atMs));
    }),

    // Elections
    startElection: enqueueActions(({ context, enqueue }, { reason }: { reason: string }) => {
      carryOutEffects(enqueue, context, () => election.startElection(context.raft, reason));
    }),
    solicitAgain: enqueueActions(({ context, enqueue }) => {
      carryOutEffects(enqueue, context, () => election.solicitAgain(context.raft));
    }),
    answerVoteRequest: enqueueActions(({ context, enqueue }, { from, message }: From<VoteRequest>) => {
      carryOutEffects(enqueue, context, () => election.answerVoteRequest(context.raft, from, message));
    }),
    recordVote: enqueueActions(({ context, enqueue }, { from, message }: From<VoteReply>) => {
      carryOutEffects(enqueue, context, () => election.recordVote(context.raft, from, message));
    }),
    recordOwnVote: enqueueActions(({ context, enqueue }, vote: Report<LogReport, 'vote.durable'>) => {
      carryOutEffects(enqueue, context, () => election.voteDurable(context.raft, vote));
    }),

    // Following
    acceptAppend: enqueueActions(({ context, enqueue }, { from, message, atMs }: From<Append> & { atMs: number }) => {
      carryOutEffects(enqueue, context, () => follow.acceptAppend(context.raft, from, message, atMs));
    }),
    noteDurable: enqueueActions(({ context, enqueue }, { written }: Report<LogReport, 'log.durable'>) => {
      carryOutEffects(enqueue, context, () => commit.noteDurable(context.raft, written));
    }),
    noteApplied: enqueueActions(({ context, enqueue }, report: Report<ApplierReport, 'log.applied'>) => {
      const { entries, results } = report;
      const lastApplied = entries.at(-1)?.index ?? context.raft.lastApplied;
      enqueue.assign({ raft: changed(context.raft, { lastApplied }) });
      enqueue.emit({ type: 'entries.applied', entries, results });
    }),

    // Leading
    becomeLeader: enqueueActions(({ context, enqueue }) => {
      carryOutEffects(enqueue, context, () => {
        const led = lead.becomeLeader(context.raft, context.seams.clock.wallNow());
        return { ...led, state: peers.presumeUp(led.state) };
      });
    }),
    stepDown: enqueueActions(({ context, enqueue }) => {
      carryOutEffects(enqueue, context, () => {
        const refused = reads.refusePendingReads(context.raft);
        return { ...refused, state: peers.forgetStatuses(refused.state) };
      });
    }),
    forgetLeader: enqueueActions(({ context, enqueue }) => {
      carryOutEffects(enqueue, context, () => lead.forgetLeader(context.raft));
    }),
    noteLeaderDurable: enqueueActions(({ context, enqueue }, { written }: Report<LogReport, 'log.durable'>) => {
      carryOutEffects(enqueue, context, () => commit.noteLeaderDurable(context.raft, written));
    }),
    noteAppendReply: enqueueActions(({ context, enqueue }, { from, message }: From<AppendReply>) => {
      carryOutEffects(enqueue, context, () => lead.noteAppendReply(context.raft, from, message));
    }),
    beat: enqueueActions(({ context, enqueue }) => {
      carryOutEffects(enqueue, context, () => lead.beat(context.raft));
    }),
    noteStatus: enqueueActions(({ context, enqueue }, report: Report<HeartbeatReport, 'peer.statusChanged'>) => {
      carryOutEffects(enqueue, context, () =>
        peers.noteStatus(context.raft, report.peer, report.status, report.missed),
      );
    }),
    restartReplicator: enqueueActions(({ context, enqueue }, { peer }: { peer: NodeId }) => {
      enqueue.sendTo(() => valueFor(context.replicators, peer) as AnyActorRef, { type: 'link.opened' });
    }),

    passOnRefusal: enqueueActions(({ context, enqueue }, { peer, message }: Report<LinkReport, 'link.full'>) => {
      enqueue.sendTo(() => valueFor(context.replicators, peer) as AnyActorRef, {
        type: 'append.refused',
        append: message,
      });
    }),
    passOnRoom: enqueueActions(({ context, enqueue }, { peer }: Report<LinkReport, 'link.roomMade'>) => {
      enqueue.sendTo(() => valueFor(context.replicators, peer) as AnyActorRef, { type: 'room.made' });
    }),

    // Links
    noteLinkOpened: enqueueActions(({ context, enqueue }, { peer }: { peer: NodeId }) => {
      carryOutEffects(enqueue, context, () => peers.noteLink(context.raft, peer, true, 'connected'));
    }),
    noteLinkClosed: enqueueActions(({ context, enqueue }, report: { peer: NodeId; reason: string }) => {
      carryOutEffects(enqueue, context, () => peers.noteLink(context.raft, report.peer, false, report.reason));
    }),
    noteUndeliverable: enqueueActions(({ context, enqueue }, report: Report<LinkReport, 'link.undeliverable'>) => {
      carryOutEffects(enqueue, context, () => forward.noteUndeliverable(context.raft, report.message));
    }),

    // Clients
    propose: enqueueActions(({ context, enqueue }, proposal: Origin & Pick<Proposed, 'commands' | 'remainingMs'>) => {
      const { commands, remainingMs, from, requestId } = proposal;
      const origin = { from, requestId };
      const { raft, seams } = context;
      carryOutEffects(enqueue, context, () => {
        // Nothing is lost by it: whoever asked tries again in a moment.
        const isTooMuch = seams.log.unsyncedBytes > MOST_UNSYNCED_BYTES;
        if (isTooMuch || remainingMs === 0) return forward.refuseProposal(raft, origin);
        return lead.propose(raft, origin, commands, seams.clock.wallNow());
      });
    }),
    forwardProposal: enqueueActions(({ context, enqueue }, proposed: Proposed) => {
      const { requestId, commands, remainingMs = NO_DEADLINE_MS } = proposed;
      carryOutEffects(enqueue, context, () =>
        forward.forwardProposal(context.raft, { requestId, remainingMs, commands }),
      );
    }),
    refuseProposal: enqueueActions(({ context, enqueue }, origin: Origin) => {
      carryOutEffects(enqueue, context, () => forward.refuseProposal(context.raft, origin));
    }),
    beginRead: enqueueActions(({ context, enqueue }, origin: Origin) => {
      carryOutEffects(enqueue, context, () => reads.beginRead(context.raft, origin));
    }),
    beginParkedReads: enqueueActions(({ context, enqueue }) => {
      carryOutEffects(enqueue, context, () => reads.beginParkedReads(context.raft));
    }),
    forwardRead: enqueueActions(({ context, enqueue }, { requestId }: { requestId: number }) => {
      carryOutEffects(enqueue, context, () => forward.forwardRead(context.raft, requestId));
    }),
    refuseRead: enqueueActions(({ context, enqueue }, origin: Origin) => {
      carryOutEffects(enqueue, context, () => forward.refuseRead(context.raft, origin));
    }),
    noteProposeReply: enqueueActions(({ context, enqueue }, { message }: Report<PeerEvent, 'rpc.proposeReply'>) => {
      carryOutEffects(enqueue, context, () => forward.noteProposeReply(context.raft, message));
    }),
    noteReadReply: enqueueActions(({ context, enqueue }, { message }: Report<PeerEvent, 'rpc.readReply'>) => {
      carryOutEffects(enqueue, context, () => forward.noteReadReply(context.raft, message));
    }),
    answerPeer: enqueueActions(({ context, enqueue }, { to, message }: Report<ClientEvent, 'client.answered'>) => {
      carryOutEffects(enqueue, context, () => ({ state: context.raft, effects: [{ kind: 'send', to, message }] }));
    }),
  },
  guards: {
    isAheadOfLog: ({ context }, { applied }: { applied: Index }) => recovery.isAheadOfLog(context.raft, applied),
    admits: ({ context }, params: { verdict: Verdict; message: PeerMessage; atMs: number }) => {
      return admit(context.raft, params.message, params.atMs) === params.verdict;
    },
    hasMajority: ({ context }) => election.hasMajority(context.raft),
    hasCommittedInOwnTerm: ({ context }) => hasCommittedInOwnTerm(context.raft),
  },
});

/** None where the machine is only stepped and no actor runs. */
function childrenOf(self: AnyActorRef): Partial<Readonly<Record<string, AnyActorRef>>> {
  return (self.getSnapshot() as Partial<AnyMachineSnapshot>).children ?? {};
}

interface Running {
  readonly status: string;
  readonly value: ReplicaStateValue;
  readonly context: ReplicaContext;
}

function standingOf(snapshot: () => Running): Standing {
  return {
    role: () => {
      const { status, value } = snapshot();
      // A chart in error has stopped, wherever it was.
      return status === 'error' ? 'halted' : roleOf(value);
    },
    raft: () => snapshot().context.raft,
  };
}

const DELIVERED = {
  'vote-request': 'rpc.voteRequest',
  'vote-reply': 'rpc.voteReply',
  append: 'rpc.append',
  'append-reply': 'rpc.appendReply',
  'propose-request': 'rpc.proposeRequest',
  'propose-reply': 'rpc.proposeReply',
  'read-request': 'rpc.readRequest',
  'read-reply': 'rpc.readReply',
} as const satisfies Record<PeerMessage['kind'], PeerEvent['type']>;

function delivered({ from, message, atMs }: From<PeerMessage> & { atMs: number }): PeerEvent {
  return { type: DELIVERED[message.kind], from, message, atMs } as PeerEvent;
}
