import { fastTransition } from '../src/fast-transition/fast-transition.js';
import { NO_INDEX } from '../src/raft/numbers-and-ids.js';
import { replicatorSetup } from './replicator-setup.js';

/** A leader that has no snapshot of use to a peer takes one; where it cannot it tries again after so long. */
const WANTED_AGAIN_AFTER_MS = 1_000;

/**
 * Brings one follower's log to equal the leader's, for one term. Probing finds where the two agree, a round trip
 * at a time; streaming keeps several appends in flight behind it, as many as the window and the link take. Owns next index,
 * window and mode; the match index that commits is the chart's. Only what a rejection proves lost is sent again.
 */
export const replicator = fastTransition(
  replicatorSetup.createMachine({
    id: 'replicator',
    context: ({ input }) => ({
      ...input,
      matched: NO_INDEX,
      inFlight: [],
      leastSnapshot: NO_INDEX,
      doubts: 0,
      isNextOnDisk: false,
    }),
    initial: 'probing',
    // In states that send nothing now the leader's new state is kept for later.
    on: { 'log.grew': { actions: 'noteLeader' } },
    states: {
      probing: {
        description: 'Finds the place where the two logs agree, a round trip at a time.',
        entry: 'sendEmptyAppend',
        on: {
          // The lost probe is sent again from the same place.
          'link.opened': { target: 'probing', reenter: true, actions: 'noteLeader' },
          beat: { actions: ['noteLeader', 'sendEmptyAppend'] },
          'round.began': { actions: ['noteLeader', 'sendEmptyAppend'] },
          // The chart passed no answer on, because the peer had the whole log; the match index says that the probe matched.
          'log.grew': {
            guard: { type: 'isKnownToMatch', params: ({ event }) => event },
            target: 'streaming',
            actions: 'noteLeader',
          },
          'append.accepted': {
            guard: { type: 'matchesProbe', params: ({ event }) => event },
            target: 'streaming',
            actions: 'noteLeader',
          },
          'append.rejected': [
            {
              guard: { type: 'asksForSnapshot', params: ({ event }) => event },
              target: 'replacingSnapshot',
              actions: ['noteLeader', { type: 'noteLeastSnapshot', params: ({ event }) => event }],
            },
            {
              guard: { type: 'needsSnapshot', params: ({ event }) => event },
              target: 'sendingSnapshot',
              actions: 'noteLeader',
            },
            {
              guard: { type: 'rejectsAcknowledged', params: ({ event }) => event },
              target: 'doubting',
              actions: ['noteLeader', { type: 'noteDoubt', params: ({ event }) => event }],
            },
            {
              guard: { type: 'answersProbe', params: ({ event }) => event },
              target: 'probing',
              reenter: true,
              actions: ['noteLeader', { type: 'stepBack', params: ({ event }) => event }],
            },
          ],
        },
      },
      streaming: {
        description: 'The logs agree up to what is in flight.',
        initial: 'flowing',
        on: {
          'link.opened': { target: 'probing', actions: ['noteLeader', 'forgetFlights'] },
          beat: { actions: ['noteLeader', 'sendEmptyAppend'] },
          'round.began': { actions: ['noteLeader', 'sendEmptyAppend'] },
          'append.accepted': { actions: 'noteLeader' },
          'append.rejected': [
            {
              guard: { type: 'asksForSnapshot', params: ({ event }) => event },
              target: 'replacingSnapshot',
              actions: ['noteLeader', { type: 'noteLeastSnapshot', params: ({ event }) => event }],
            },
            {
              guard: { type: 'isNews', params: ({ event }) => event },
              target: 'probing',
              actions: ['noteLeader', { type: 'stepBack', params: ({ event }) => event }],
            },
          ],
          // Several may have been refused in a row.
          'append.refused': {
            guard: { type: 'isOurs', params: ({ event }) => event },
            actions: { type: 'keepPlace', params: ({ event }) => event },
          },
        },
        states: {
          flowing: {
            description: 'Sends what lies in memory, as far as the window has room.',
            entry: 'fillWindow',
            always: { guard: 'needsDisk', target: 'reading' },
            on: {
              'log.grew': { actions: ['noteLeader', 'fillWindow'] },
              'append.accepted': { actions: ['noteLeader', 'fillWindow'] },
              'append.refused': {
                guard: { type: 'isOurs', params: ({ event }) => event },
                target: 'waitingForRoom',
                actions: { type: 'keepPlace', params: ({ event }) => event },
              },
            },
          },
          reading: {
            description: 'What comes next is no longer in memory.',
            entry: 'readFromDisk',
            on: {
              'read.failed': {
                target: '#replicator.failed',
                actions: { type: 'reportFailure', params: ({ event }) => event },
              },
              'entries.read': [
                { guard: { type: 'isGone', params: ({ event }) => event }, target: '#replicator.sendingSnapshot' },
                { target: 'flowing', actions: { type: 'sendRead', params: ({ event }) => event } },
              ],
              // The read under way is for a later entry: what it brings is dropped.
              'append.refused': {
                guard: { type: 'isOurs', params: ({ event }) => event },
                target: 'waitingForRoom',
                actions: { type: 'keepPlace', params: ({ event }) => event },
              },
            },
          },
          waitingForRoom: {
            description: 'The link refused an append: too much waits on it.',
            on: { 'room.made': { target: 'flowing', actions: 'noteLeader' } },
          },
        },
      },
      doubting: {
        description:
          'The peer rejects what it has acknowledged: asks again at each heartbeat whether it has lost that.',
        initial: 'waiting',
        on: {
          'link.opened': { target: 'probing', actions: 'noteLeader' },
          'round.began': { actions: ['noteLeader', 'sendEmptyAppend'] },
          // An old answer, then; where it was none, the next entries are rejected, too.
          'log.grew': {
            guard: { type: 'isKnownToMatch', params: ({ event }) => event },
            target: 'streaming',
            actions: 'noteLeader',
          },
          'append.accepted': {
            guard: { type: 'matchesProbe', params: ({ event }) => event },
            target: 'streaming',
            actions: 'noteLeader',
          },
        },
        states: {
          waiting: {
            description: 'For the next heartbeat.',
            on: { beat: { target: 'asking', actions: ['noteLeader', 'sendEmptyAppend'] } },
          },
          asking: {
            description: 'For the answer.',
            on: {
              beat: { actions: ['noteLeader', 'sendEmptyAppend'] },
              'append.rejected': [
                {
                  guard: { type: 'asksForSnapshot', params: ({ event }) => event },
                  target: '#replicator.replacingSnapshot',
                  actions: ['noteLeader', { type: 'noteLeastSnapshot', params: ({ event }) => event }],
                },
                {
                  guard: { type: 'rejectsAcknowledged', params: ({ event }) => event },
                  target: 'waiting',
                  actions: ['noteLeader', { type: 'noteDoubt', params: ({ event }) => event }],
                },
              ],
            },
          },
        },
      },
      sendingSnapshot: {
        description: 'What the peer needs is gone from the log: tells it to install a snapshot, at each heartbeat.',
        entry: ['standBehindSnapshot', 'orderInstall'],
        on: {
          'link.opened': { actions: ['noteLeader', 'sendEmptyAppend', 'orderInstall'] },
          beat: { actions: ['noteLeader', 'sendEmptyAppend', 'orderInstall'] },
          'round.began': { actions: ['noteLeader', 'sendEmptyAppend'] },
          'log.grew': [
            {
              guard: { type: 'reachesLog', params: ({ event }) => event },
              target: 'streaming',
              actions: 'noteLeader',
            },
            { actions: 'noteLeader' },
          ],
          'append.accepted': {
            guard: { type: 'acceptedWithinLog', params: ({ event }) => event },
            target: 'streaming',
            actions: 'noteLeader',
          },
        },
      },
      replacingSnapshot: {
        description:
          "The peer's snapshot is damaged: tells it to install one, at each heartbeat, until it takes entries.",
        entry: ['standBehindSnapshot', 'wantSnapshot', 'orderReplacement'],
        after: { [WANTED_AGAIN_AFTER_MS]: { target: 'replacingSnapshot', reenter: true } },
        on: {
          'link.opened': { actions: ['noteLeader', 'sendEmptyAppend', 'orderReplacement'] },
          beat: { actions: ['noteLeader', 'sendEmptyAppend', 'orderReplacement'] },
          'round.began': { actions: ['noteLeader', 'sendEmptyAppend'] },
          'append.accepted': {
            guard: { type: 'takesEntries', params: ({ event }) => event },
            target: 'probing',
            actions: 'noteLeader',
          },
          'append.rejected': [
            { guard: { type: 'asksForSnapshot', params: ({ event }) => event }, actions: 'noteLeader' },
            {
              target: 'probing',
              actions: ['noteLeader', { type: 'stepBack', params: ({ event }) => event }],
            },
          ],
        },
      },
      failed: { description: 'The log cannot be read: the node halts.' },
    },
  }),
);
