import type { ElectionManagerInput } from '../actors/election-manager.js';
import { DEFAULT_FLOW } from '../actors/flow.js';
import type { HeartbeatManagerInput } from '../actors/heartbeat-manager.js';
import { LogWriter } from '../actors/log-writer.js';
import type { SnapshotInstallerInput } from '../actors/snapshot-installer.js';
import { QuorateError } from '../src/errors/quorate-error.js';
import { fastTransition } from '../src/fast-transition/fast-transition.js';
import { derive } from '../src/raft/random.js';
import { initialState } from '../src/raft/replica-state.js';
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
    context: ({ input, spawn }) => contextFrom(input, spawn),
    entry: 'introduceManagers',
    invoke: [
      { src: 'logWriter', id: 'logWriter', input: ({ context }) => ({ writer: context.logWriter }) },
      {
        src: 'applier',
        id: 'applier',
        input: ({ context: { seams, snapshotLogBytes } }) => ({
          ...seams,
          store: seams.log,
          snapshots: seams.snapshots,
          snapshotLogBytes,
        }),
      },
      {
        src: 'snapshotTaker',
        id: 'snapshotTaker',
        input: ({ context: { seams } }) => ({ store: seams.snapshots, clock: seams.clock }),
      },
      { src: 'snapshotInstaller', id: 'snapshotInstaller', input: ({ context }) => installerInput(context) },
    ],
    initial: 'recovering',
    on: {
      'log.failed': { target: '.halted', actions: 'noteHalt' },
      'apply.failed': { target: '.halted', actions: ['noteAppliedInVain', 'noteHalt'] },
      'rule.failed': { target: '.halted', actions: 'noteHalt' },
      'xstate.error.actor.*': { target: '.halted', actions: 'noteHalt' },
      'client.proposed': { actions: 'refuseProposal' },
      'client.read': { actions: 'refuseRead' },
      'entry.skipped': { actions: 'announceSkip' },
      'log.applied': { actions: 'noteApplied' },
      'snapshot.asked': { actions: 'askForSnapshot' },
      'snapshot.due': { actions: 'askForSnapshot' },
      'capture.wanted': { actions: 'askForCapture' },
      'state.captured': { actions: ['passOnCapture', 'noteCapture'] },
      'capture.failed': { actions: 'passOnFailure' },
      'snapshot.written': { actions: ['noteSnapshot', 'announceSnapshot', 'endCapture', 'discardSnapshots'] },
      'snapshot.failed': { actions: ['announceNoSnapshot', 'endCapture'] },
      'snapshot.unreadable': { actions: ['noteUnreadable', 'replaceUnreadable'] },
      'log.trimmed': { actions: ['noteTrimmed', 'discardSnapshots'] },
    },
    states: {
      recovering: {
        tags: 'recovering',
        description: 'Reads what was durable when the node stopped; takes no part yet.',
        initial: 'openingLog',
        states: {
          openingLog: {
            description: 'The log store recovers what is on disk.',
            on: {
              'log.recovered': {
                target: 'openingStateMachine',
                actions: ['recover', 'announceRecovery'],
              },
            },
          },
          openingStateMachine: {
            description: 'The state machine says how much it has applied already.',
            entry: 'openStateMachine',
            on: {
              'state.opened': [
                { guard: 'isAheadOfLog', target: '#replica.halted', actions: 'noteAheadOfLog' },
                { guard: 'lacksSnapshotForGood', target: '#replica.halted', actions: 'noteLackForGood' },
                { guard: 'lacksSnapshot', target: '#replica.active.awaitingSnapshot', actions: 'resumeApplying' },
                { target: '#replica.active', actions: 'resumeApplying' },
              ],
            },
          },
        },
      },
      active,
      halted: {
        tags: 'halted',
        description: 'For good: the disk, the state machine or a rule failed. Requests are refused.',
        entry: [
          'tellOfHalt',
          'stopInstalling',
          'stopTaking',
          'forgetLeader',
          'announceCauseOfHalt',
          'announceHaltedRole',
        ],
        on: {
          // Once is enough: what fails after the first failure says nothing new.
          ...{ 'log.failed': {}, 'apply.failed': {}, 'rule.failed': {}, 'xstate.error.actor.*': {} },
          // The state may be why it halted.
          ...{ 'snapshot.asked': {}, 'snapshot.due': {}, 'snapshot.unreadable': {} },
        },
      },
    },
  }),
);

const NO_INPUT =
  "expected replicaMachine to be given input, got none: createActor(replicaMachine, { input }), with replicaInput({ id: 'a', replicas: 'abc' }) of quorate/testing, say";

const DEFAULT_SNAPSHOT_LOG_BYTES = 64 * 1024 * 1024;

type Managers = ReplicaContext['managers'];
type Spawn = <Src extends keyof Managers>(
  src: Src,
  options: { id: Src; input: Src extends 'electionManager' ? ElectionManagerInput : HeartbeatManagerInput },
) => Managers[Src];

/** Both managers live as long as the chart, so that they are spawned with it. */
function contextFrom(input: ReplicaInput, spawn: Spawn): ReplicaContext {
  // XState's types ask for it, and nobody else does.
  if (input === undefined) throw new QuorateError('QUORATE_CONFIG_INVALID', NO_INPUT);
  const { identity, servers, seed, log, transport, stateMachine, clock, snapshots } = input;
  const { snapshotLogBytes = DEFAULT_SNAPSHOT_LOG_BYTES } = input;
  const settings = { ...DEFAULT_SETTINGS, ...input.settings };
  const chance = derive(seed, `elections ${identity.nodeId}`);
  return {
    state: initialState(identity.nodeId, servers, settings),
    managers: {
      electionManager: spawn('electionManager', { id: 'electionManager', input: { settings, clock, chance } }),
      heartbeatManager: spawn('heartbeatManager', { id: 'heartbeatManager', input: { settings, clock } }),
    },
    logWriter: new LogWriter({
      store: log,
      clock,
      lookEveryMs: settings.HEARTBEAT_INTERVAL,
      patienceMs: settings.ELECTION_TIMEOUT_MAX,
      keepBytes: snapshotLogBytes,
    }),
    seams: untold({ identity, seed, log, transport, stateMachine, clock, snapshots }),
    snapshotLogBytes,
    flow: input.flow ?? DEFAULT_FLOW,
    links: {},
    outlets: {},
    replicators: {},
    haltedBy: null,
  };
}

function installerInput({ seams, state }: ReplicaContext): SnapshotInstallerInput {
  const { transport, identity, snapshots: store } = seams;
  const { peers, settings } = state;
  const source = transport.snapshotSource?.(identity, Object.values(peers), settings);
  return { store, source, waitMs: settings.HEARTBEAT_INTERVAL };
}

/** JSON of the context leaves it out: a state machine of the user's may hold everything that was ever written. */
function untold<Seams extends object>(seams: Seams): Seams {
  return Object.defineProperty(seams, 'toJSON', { value: () => undefined });
}
