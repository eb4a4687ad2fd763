import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { KeyValueStore, ReplicaNode } from '../../src/index.js';
import { noteMatch } from '../../src/raft/commit.js';
import { hasMajority, recordVote, solicitAgain, startElection, voteDurable } from '../../src/raft/elections.js';
import { asIndex, asReadRound, problemWithId } from '../../src/raft/numbers-and-ids.js';
import { noteLink } from '../../src/raft/peers.js';
import { committedIndex } from '../../src/raft/quorum.js';
import { noteEcho } from '../../src/raft/reads.js';
import { initialState, type ReplicaState } from '../../src/raft/replica-state.js';
import { DEFAULT_SETTINGS } from '../../src/raft/settings.js';
import { simulate } from '../../src/testing/index.js';
import { decodeHello, encodeHello, PROTOCOL_VERSION } from '../../transport/hello.js';
import { codeOf } from '../node/outcomes.js';
import { effectsOf, logOf } from './states.js';

/** What every object has without being given it: `constructor`, `toString`, `__proto__` and their like. */
const INHERITED = Object.getOwnPropertyNames(Object.prototype);

const inherited = fc.constantFrom(...INHERITED);
/** Three ids, some of them inherited names. */
const ids = fc.uniqueArray(fc.oneof(inherited, fc.constantFrom('a', 'b', 'c')), { minLength: 3, maxLength: 3 });

function candidate([self, ...others]: readonly string[]): ReplicaState {
  const servers = [self as string, ...others].map((id) => ({ id, address: `${id}:1` }));
  const { state } = startElection(initialState(self as string, servers, DEFAULT_SETTINGS));
  return voteDurable(state, { term: state.term, votedFor: self as string }).state;
}

describe('names that every object inherits', () => {
  test('are counted as any other by the rules: votes, matches, echoes and links', () => {
    fc.assert(
      fc.property(ids, (names) => {
        const [self, other, third] = names as [string, string, string];
        const state = candidate(names);
        expect(hasMajority(state)).toBe(false);
        const asked = effectsOf(solicitAgain(state), 'send').map(({ to }) => to);
        expect(asked.sort()).toEqual([other, third].sort());
        const granted = { kind: 'vote-reply', term: state.term, granted: true, preVote: false } as const;
        expect(hasMajority(recordVote(state, other, granted).state)).toBe(true);

        const leading = { ...state, log: logOf(1, 1), matchIndex: {} };
        expect(committedIndex(leading, leading.matchIndex)).toBe(0);
        const matched = noteMatch(noteMatch(leading, self, asIndex(2)), third, asIndex(1));
        expect(committedIndex(matched, matched.matchIndex)).toBe(1);
        expect(Object.hasOwn(noteEcho(leading, other, asReadRound(1)).reads.echoed, other)).toBe(true);
        expect(effectsOf(noteLink(leading, other, true, 'connected'), 'notify')).toHaveLength(1);
        expect(effectsOf(noteLink(leading, 'nobody', true, 'connected'), 'notify')).toHaveLength(0);
      }),
    );
  });

  test.each(INHERITED)('%s is no id of a node: options, hellos and simulations refuse it', async (name) => {
    expect(problemWithId(name)).toContain(`got "${name}"`);
    const peers = Object.fromEntries([
      ['n1', '127.0.0.1:7001'],
      [name, '127.0.0.1:7002'],
    ]);
    const options = { peers, dataDir: '/nowhere/quorate', stateMachine: new KeyValueStore() };
    for (const id of ['n1', name])
      expect(await codeOf(ReplicaNode.open({ ...options, id }))).toBe('QUORATE_CONFIG_INVALID');
    await expect(ReplicaNode.open({ ...options, id: 'n1' })).rejects.toThrow(
      `no name of JavaScript's own, got "${name}"`,
    );
    expect(() => simulate({ seed: 1, replicas: ['a', 'b', name] })).toThrow(`got "${name}"`);

    const identity = { clusterId: 'c', nodeId: 'n1', incarnation: 'i' };
    const hello = (nodeId: string, expected: string): Uint8Array =>
      encodeHello({ version: PROTOCOL_VERSION, identity: { ...identity, nodeId }, expected });
    for (const bytes of [hello(name, 'n1'), hello('n1', name)])
      expect(() => decodeHello(bytes)).toThrow(`got "${name}"`);
    expect(decodeHello(hello('n1', 'n2'))).toMatchObject({ identity });
  });

  test('are keys like any other of a KeyValueStore', () => {
    const change = fc.record({ key: fc.oneof(inherited, fc.string({ minLength: 1 })), isPut: fc.boolean() });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 30 }), (changes) => {
        const store = new KeyValueStore();
        const model = new Map<string, string>();
        changes.forEach(({ key, isPut }, at) => {
          expect(store.get(key) === undefined).toBe(!model.has(key));
          const value = new TextEncoder().encode(String(at));
          const command = isPut ? ({ kind: 'put', key, value } as const) : ({ kind: 'delete', key } as const);
          store.apply([{ index: asIndex(at + 1), term: 1 as never, timeMs: 0, command }]);
          if (isPut) model.set(key, String(at));
          else model.delete(key);
        });
        const items = store.list({ limit: 1_000 }).items.map(({ key, value }) => [key, Buffer.from(value).toString()]);
        expect(new Map(items as [string, string][])).toEqual(model);
      }),
    );
  });
});
