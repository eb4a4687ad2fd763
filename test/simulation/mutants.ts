import { rule } from '../../machines/actions/rule.js';
import { replicaMachine } from '../../machines/index.js';
import { advanceCommit, noteLeaderDurable, noteMatch, withApply } from '../../src/raft/commit.js';
import type { Effect, Step } from '../../src/raft/effects.js';
import { committedIndex } from '../../src/raft/quorum.js';
import type { MessageRules } from '../../src/raft/receive.js';
import {
  CANDIDATE_RULES,
  deliver,
  FOLLOWER_RULES,
  LEADER_RULES,
  receive,
  STALLED_RULES,
} from '../../src/raft/receive.js';

/** Charts with one law taken out each: what the simulation is for is to notice. */

type Broken = (step: Step) => Step;
type Kind = keyof MessageRules;

/** The actions by which every role receives, with one message's rule broken. */
function receivingWith(kind: Kind, broken: Broken, roles: Readonly<Record<string, MessageRules>> = RULES) {
  const actions = Object.entries(roles).map(([name, rules]) => {
    const whole = rules[kind] as (...args: readonly unknown[]) => Step;
    const changed = { ...rules, [kind]: (...args: readonly unknown[]) => broken(whole(...args)) } as MessageRules;
    return [name, rule('peer.received', (state, event, around) => receive(changed, state, event, around))];
  });
  return Object.fromEntries(actions);
}

const RULES = {
  receiveAsFollower: FOLLOWER_RULES,
  receiveAsCandidate: CANDIDATE_RULES,
  receiveAsLeader: LEADER_RULES,
};
const { receiveAsFollower, receiveAsLeader } = RULES;

/** §5.4.2 taken out: whatever a majority holds is committed, of whichever term. */
export const withoutOwnTermRule = replicaMachine.provide({
  actions: {
    ...receivingWith('append-reply', commitAnything, { receiveAsLeader }),
    noteLeaderDurable: rule('log.durable', (state, { written }) => commitAnything(noteLeaderDurable(state, written))),
  },
});

/** P1 taken out: a vote leaves before it is on disk. */
export const withoutVoteSync = replicaMachine.provide({
  actions: receivingWith('vote-request', ({ state, effects }) => ({ state, effects: effects.flatMap(atOnce) })),
});

/** §5.1 taken out: every message reaches its role, whatever its term. */
export const withoutTermGate = replicaMachine.provide({
  guards: { adoptsTerm: () => false, keepsTerm: () => true },
  actions: Object.fromEntries(
    Object.entries({ ...RULES, receiveWhileStalled: STALLED_RULES }).map(([name, rules]) => [
      name,
      rule('peer.received', (state, event, around) => deliver(rules, state, event, around)),
    ]),
  ),
});

/** P15 taken out: an acknowledgement that writes nothing itself does not wait for what was written before it. */
export const withoutDoorForMessages = replicaMachine.provide({
  actions: receivingWith('append', withoutWait, { receiveAsFollower }),
});

/** P18 taken out: a leader takes its own copy of an entry for durable, and counts it, before its disk has it. */
export const withoutOwnSync = replicaMachine.provide({
  actions: {
    ...receivingWith('append-reply', countOwnCopy, { receiveAsLeader }),
    noteLeaderDurable: rule('log.durable', (state, { written }) => countOwnCopy(noteLeaderDurable(state, written))),
  },
});

function withoutWait({ state, effects }: Step): Step {
  const early = (effect: Effect) =>
    effect.kind === 'write' && effect.records.length === 0 ? atOnce(effect) : [effect];
  return { state, effects: effects.flatMap(early) };
}

function countOwnCopy(step: Step): Step {
  const { log } = step.state;
  const believing = { ...step.state, log: { ...log, durableIndex: log.lastIndex } };
  const counted = advanceCommit(noteMatch(believing, believing.id, log.lastIndex));
  const committed = withApply(step.state, counted);
  return { state: committed.state, effects: [...step.effects, ...committed.effects] };
}

function commitAnything(step: Step): Step {
  const commitIndex = committedIndex(step.state, step.state.matchIndex);
  if (commitIndex <= step.state.commitIndex) return step;
  const committed = withApply(step.state, { ...step.state, commitIndex });
  return { state: committed.state, effects: [...step.effects, ...committed.effects] };
}

function atOnce(effect: Effect): readonly Effect[] {
  if (effect.kind !== 'write') return [effect];
  const sent = effect.then.map((outgoing): Effect => ({ kind: 'send', ...outgoing }));
  return [...sent, { ...effect, then: [] }];
}
