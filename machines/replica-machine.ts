import { DEFAULT_FLOW } from '../actors/replicator.js';
import { fastTransition } from '../src/fast-transition/fast-transition.js';
import { derive } from '../src/raft/random.js';
import { initialState } from '../src/raft/replica-state.js';
import { ReplicaView } from '../src/raft/replica-view.js';
import { DEFAULT_SETTINGS } from '../src/raft/settings.js';
import type { ReplicaContext, ReplicaInput } from './context.js';
import { active } from './roles/active.js';
import { replicaSetup } from './vocabulary.js';

/**
 * One replica. It *runs* the node: roles are states, time comes from the two managers, the disk and the network
 * are actors that report events. Invoke it in a machine of your own, with whatever seams you like as its input.
 */
export const replicaMachine = fastTransition(
  replicaSetup.createMachine({
    id: 'replica',
    context: ({ input }) => contextFrom(input),
    entry: 'showChart',
    invoke: [
      {
        src: 'electionManager',
        id: 'electionManager',
        input: ({ context: { state, seams } }) => {
          const chance = derive(seams.seed, `elections ${seams.identity.nodeId}`);
          return { state, clock: seams.clock, chance };
        },
      },
      {
        src: 'heartbeatManager',
        id: 'heartbeatManager',
        input: ({ context: { state, seams } }) => ({ state, clock: seams.clock }),
      },
      {
        src: 'logWriter',
        id: 'logWriter',
        input: ({ context: { raft, seams } }) => ({
          store: seams.log,
          clock: seams.clock,
          lookEveryMs: raft.settings.HEARTBEAT_INTERVAL,
          patienceMs: raft.settings.ELECTION_TIMEOUT_MAX,
        }),
      },
      {
        src: 'applier',
        id: 'applier',
        input: ({ context: { seams } }) => ({ store: seams.log, stateMachine: seams.stateMachine, clock: seams.clock }),
      },
    ],
    initial: 'recovering',
    on: {
      'log.failed': { target: '.halted', actions: 'noteHalt' },
      'apply.failed': { target: '.halted', actions: 'noteHalt' },
      'rule.failed': { target: '.halted', actions: 'noteHalt' },
      'xstate.error.actor.*': { target: '.halted', actions: 'noteHalt' },
      'client.proposed': { actions: 'refuseProposal' },
      'client.read': { actions: 'refuseRead' },
      'log.applied': { actions: 'noteApplied' },
    },
    states: {
      recovering: {
        initial: 'openingLog',
        states: {
          openingLog: {
            on: {
              'log.recovered': {
                target: 'openingStateMachine',
                actions: ['introduceManagers', 'remember', 'announceRecovery'],
              },
            },
          },
          openingStateMachine: {
            entry: 'openStateMachine',
            on: {
              'state.opened': [
                { guard: 'isAheadOfLog', target: '#replica.halted', actions: 'noteLogMissing' },
                { target: '#replica.active', actions: 'resumeApplying' },
              ],
            },
          },
        },
      },
      active,
      halted: {
        entry: [{ type: 'tellManagers', params: { role: 'halted' } }, 'forgetLeader', 'announceHalt', 'announceHalted'],
        // Once is enough: what fails after the first failure says nothing new.
        on: { 'log.failed': {}, 'apply.failed': {}, 'rule.failed': {}, 'xstate.error.actor.*': {} },
      },
    },
  }),
);

function contextFrom(input: ReplicaInput): ReplicaContext {
  const { identity, servers, seed, log, transport, stateMachine, clock } = input;
  const raft = initialState(identity.nodeId, servers, { ...DEFAULT_SETTINGS, ...input.settings });
  const address = servers.find((server) => server.id === identity.nodeId)?.address ?? '';
  const state = input.state ?? new ReplicaView(address, raft);
  const seams = { identity, seed, log, transport, stateMachine, clock };
  const flow = input.flow ?? DEFAULT_FLOW;
  return { raft, state, seams, flow, links: {}, replicators: {}, haltedBy: null };
}
