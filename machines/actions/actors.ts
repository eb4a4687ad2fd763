import type { ProvidedActor } from 'xstate';
import { assign, stopChild } from 'xstate';
import type { RoleEntered } from '../../actors/events.js';
import type { link } from '../../actors/link.js';
import { Outlet } from '../../actors/link.js';
import type { replicator } from '../../actors/replicator.js';
import { compareWithBeat } from '../../src/raft/comparing.js';
import { beat, becomeLeader, forgetLeader, stepDown } from '../../src/raft/leading.js';
import { beginBeatRound } from '../../src/raft/lease.js';
import type { NodeId } from '../../src/raft/numbers-and-ids.js';
import { valueFor } from '../../src/raft/numbers-and-ids.js';
import { noteLink, noteStatus } from '../../src/raft/peers.js';
import { derive } from '../../src/raft/random.js';
import type { ReplicaState } from '../../src/raft/replica-state.js';
import type { ReplicaContext, ReplicaEvent } from '../context.js';
import type { ReplicaAction } from './rule.js';
import { action, notice, rule, ruleOfState } from './rule.js';

/** The actors that come in numbers: one of each kind for each peer. */
interface LinkActor extends ProvidedActor {
  src: 'link';
  logic: typeof link;
  id: string | undefined;
}
interface ReplicatorActor extends ProvidedActor {
  src: 'replicator';
  logic: typeof replicator;
  id: string | undefined;
}

export const actorActions = {
  introduceManagers: action(({ context, enqueue }) => {
    const { electionManager, heartbeatManager } = context.managers;
    enqueue.sendTo(electionManager, { type: 'manager.introduced', heartbeatManager });
    enqueue.sendTo(heartbeatManager, { type: 'manager.introduced', electionManager });
  }),
  tellOfFollower: tellManagers(() => ({ type: 'follower.entered' })),
  tellOfPreCandidate: tellManagers(() => ({ type: 'preCandidate.entered' })),
  tellOfCandidate: tellManagers(({ term }) => ({ type: 'candidate.entered', term })),
  tellOfLeader: tellManagers(({ peers }) => ({ type: 'leader.entered', peers: Object.keys(peers) })),
  tellOfStall: tellManagers(() => ({ type: 'stalled.entered' })),
  tellOfHalt: tellManagers(() => ({ type: 'halted.entered' })),
  /** The HeartbeatManager asks, for the ElectionManager, when a random timeout is over. */
  tellLastHeard: action(({ context, event, enqueue }) => {
    if (event.type !== 'lastHeard.asked') return;
    const { leaderId, leaderHeardAtMs: heardAtMs } = context.state;
    const told = { type: 'lastHeard.told', leaderId, heardAtMs, atMs: event.atMs } as const;
    enqueue.sendTo(context.managers.heartbeatManager, told);
  }),
  spawnLinks: assign<ReplicaContext, ReplicaEvent, undefined, ReplicaEvent, LinkActor>(({ context, spawn }) => {
    const { identity, transport, seed } = context.seams;
    const { settings, peers } = context.state;
    const outlets = Object.fromEntries(Object.keys(peers).map((peer) => [peer, new Outlet()]));
    const dial = (id: NodeId, address: string) => {
      const chance = derive(seed, `link ${identity.nodeId} ${id}`);
      const outlet = outlets[id] as Outlet;
      const input = { transport, identity, settings, peer: { id, address }, chance, outlet };
      return spawn('link', { id: `link.${id}`, input });
    };
    const links = Object.fromEntries(Object.values(peers).map(({ id, address }) => [id, dial(id, address)]));
    return { links, outlets };
  }),
  spawnReplicators: assign<ReplicaContext, ReplicaEvent, undefined, ReplicaEvent, ReplicatorActor>({
    replicators: ({ context, spawn }) => {
      const { state, seams, flow, outlets, haltedBy } = context;
      // A node that could not become leader halts: it sends nothing as one.
      if (haltedBy !== null) return {};
      const follow = (peer: NodeId, outlet: Outlet) => {
        const input = { peer, outlet, store: seams.log, leader: state, flow, nextIndex: state.log.lastIndex };
        return spawn('replicator', { id: `replicator.${peer}`, input });
      };
      return Object.fromEntries(Object.entries(outlets).map(([peer, outlet]) => [peer, follow(peer, outlet)]));
    },
  }),
};

/** Tells both managers of a role. One that failed is why the node halts, and takes no more events. */
function tellManagers(make: (state: ReplicaState) => RoleEntered): ReplicaAction {
  return action(({ context, event, enqueue }) => {
    const entered = make(context.state);
    for (const [id, manager] of Object.entries(context.managers)) {
      if ((event.type as string) !== `xstate.error.actor.${id}`) enqueue.sendTo(manager, entered);
    }
  });
}

export const linkActions = {
  noteLinkOpened: rule('link.opened', (state, { peer }) => noteLink(state, peer, true, 'connected')),
  noteLinkClosed: rule(['link.closed', 'link.delayed'], (state, { peer, reason }) =>
    noteLink(state, peer, false, reason),
  ),
  tellLinkOfArrival: action(({ context, event, enqueue }) => {
    const link = event.type === 'peer.arrived' ? valueFor(context.links, event.from) : undefined;
    if (link !== undefined) enqueue.sendTo(link, { type: 'peer.arrived' });
  }),
  resetLinks: action(({ context, event, enqueue }) => {
    const what = event.type === 'log.full' ? 'is full' : 'hangs';
    const reset = { type: 'link.reset', reason: `it led, and its disk ${what}` } as const;
    for (const ref of Object.values(context.links)) enqueue.sendTo(ref, reset);
  }),
  stopLinks: action(({ context, enqueue }) => {
    for (const ref of Object.values(context.links)) enqueue(stopChild(ref));
    enqueue.assign({ links: {}, outlets: {} });
  }),
  announceRefusal: notice('peer.refused', ({ reason }) => ({ type: 'connection.refused', reason })),
};

export const leadingActions = {
  becomeLeader: ruleOfState((state, { wallMs }) => becomeLeader(state, wallMs)),
  stepDown: ruleOfState((state) => stepDown(state)),
  forgetLeader: ruleOfState((state) => forgetLeader(state)),
  beat: ruleOfState((state, { nowMs }) => compareWithBeat(beat(beginBeatRound(state, nowMs)), nowMs)),
  noteStatus: rule('peer.statusChanged', (state, { peer, status, missed }) => noteStatus(state, peer, status, missed)),
  announceServing: action(({ context, enqueue }) => {
    if (context.haltedBy === null) enqueue.emit({ type: 'leader.serving', term: context.state.term });
  }),
  stopReplicators: action(({ context, enqueue }) => {
    for (const ref of Object.values(context.replicators)) enqueue(stopChild(ref));
    enqueue.assign({ replicators: {} });
  }),
  restartReplicator: action(({ context, event, enqueue }) => {
    const replicator = event.type === 'link.opened' ? valueFor(context.replicators, event.peer) : undefined;
    if (replicator !== undefined) enqueue.sendTo(replicator, { type: 'link.opened', leader: context.state });
  }),
  passOnRefusal: action(({ context, event, enqueue }) => {
    if (event.type !== 'link.full') return;
    const replicator = valueFor(context.replicators, event.peer);
    if (replicator !== undefined) enqueue.sendTo(replicator, { type: 'append.refused', append: event.message });
  }),
  passOnRoom: action(({ context, event, enqueue }) => {
    const replicator = event.type === 'link.roomMade' ? valueFor(context.replicators, event.peer) : undefined;
    if (replicator !== undefined) enqueue.sendTo(replicator, { type: 'room.made', leader: context.state });
  }),
};
