import type { AnyActorRef, AnyMachineSnapshot, ProvidedActor } from 'xstate';
import { assign, sendTo } from 'xstate';
import type { link } from '../../actors/link.js';
import { isRunning } from '../../actors/outcomes.js';
import type { replicator } from '../../actors/replicator.js';
import type { NodeId } from '../../src/raft/kinds.js';
import { derive } from '../../src/raft/random.js';
import type { Standing } from '../../src/raft/replica-view.js';
import type { Role } from '../../src/raft/role.js';
import type { ReplicaContext } from '../context.js';
import type { ReplicaEvent } from '../events.js';
import type { ReplicaStateValue } from '../role.js';
import { roleOf } from '../role.js';
import type { ReplicaAction } from './rule.js';
import { action } from './rule.js';

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
  /**
   * From here on `context.state` reads the running actor. This is an action, because an actor has no snapshot while its
   * context is being made, and because actions do not run where a machine is only stepped: `transition()`, `xstate/graph`.
   */
  showChart: (({ context, self }) => context.state.follow(standingOf(() => self.getSnapshot()))) as ReplicaAction,
  introduceManagers: action(({ enqueue, self }) => {
    const { electionManager: elections, heartbeatManager: heartbeats } = childrenOf(self);
    if (elections === undefined || heartbeats === undefined) return;
    enqueue(sendTo(elections as AnyActorRef, { type: 'manager.introduced', heartbeatManager: heartbeats }));
    enqueue(sendTo(heartbeats as AnyActorRef, { type: 'manager.introduced', electionManager: elections }));
  }),
  tellManagers: action(({ enqueue, self }, { role }: { role: Role | 'stalled' }) => {
    const children = childrenOf(self);
    for (const id of ['electionManager', 'heartbeatManager'] as const) {
      // A manager that failed is why the node halts: it takes no more events.
      const manager = children[id];
      if (manager === undefined || isRunning(manager)) enqueue.sendTo(id, { type: 'role.entered', role });
    }
  }),
  spawnLinks: assign<ReplicaContext, ReplicaEvent, undefined, ReplicaEvent, LinkActor>({
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
  spawnReplicators: assign<ReplicaContext, ReplicaEvent, undefined, ReplicaEvent, ReplicatorActor>({
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
};

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
