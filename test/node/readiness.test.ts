import { afterEach, describe, expect, test } from '@jest/globals';
import { QuorateError } from '../../src/errors/quorate-error.js';
import { KeyValueStore } from '../../src/index.js';
import type { Index, NodeId, Term } from '../../src/raft/numbers-and-ids.js';
import type { ReplicaState } from '../../src/raft/replica-state.js';
import type { ReadCall } from '../../src/replica/pending-reads.js';
import { Readiness } from '../../src/replica/readiness.js';
import { until } from '../waiting/conditions.js';
import { put, RealNodes, STEADY } from './real-nodes.js';

let cluster: RealNodes | undefined;
afterEach(async () => {
  await cluster?.close();
  cluster = undefined;
});

/** A state machine that applies nothing before it is told to. */
function slowStore() {
  const store = new KeyValueStore();
  let goOn = (): void => undefined;
  const told = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  const { codec, resultCodec } = store;
  const apply = async (batch: Parameters<KeyValueStore['apply']>[0]) => told.then(() => store.apply(batch));
  const stateMachine = { codec, resultCodec, apply, capture: () => store.capture(), restore: () => store.restore() };
  return { stateMachine, goOn };
}

describe('P48 ready means caught up', () => {
  test('a restarted node is not ready before it has applied what was committed when it found the leader', async () => {
    cluster = await RealNodes.start('abc', STEADY);
    const leader = await cluster.leader();
    for (let n = 0; n < 5; n += 1) await leader.propose(put(`k${n}`, 'v'), { timeoutMs: 30_000 });
    await cluster.nodes.get('c')?.close();
    const { stateMachine, goOn } = slowStore();
    const c = await cluster.open('c', { ...STEADY, stateMachine } as never);
    const at = `http://${cluster.peers.c}/health/ready`;
    await until(() => /^catching up, 0 of 6 /.test(c.whyNotReady()?.message ?? ''));
    const behind = await fetch(at);
    expect([behind.status, await behind.json()]).toEqual([
      503,
      { error: { code: 'CATCHING_UP', message: 'catching up, 0 of 6 log entries are applied' } },
    ]);
    // What comes later is not waited for: only what was there when the leader was found.
    goOn();
    await until(() => c.whyNotReady() === undefined);
    expect(c.state.lastApplied).toBeGreaterThanOrEqual(6);
    expect((await fetch(at)).status).toBe(200);
  });
});

const raft = (lastApplied: number, installing: ReplicaState['installing'] = null): ReplicaState =>
  ({ lastApplied, leaderId: 'a', installing }) as never;

function asked() {
  const requests: ReadCall[] = [];
  const readiness = new Readiness((request) => void requests.push(request));
  const leads = (leaderId: NodeId | null): void =>
    readiness.notice({ type: 'leader.changed', leaderId, term: 1 as Term });
  /** The leader answers the question that was asked last, or another one. */
  const confirms = (readIndex: number, question = requests.at(-1)): void => question?.confirmed?.(readIndex as Index);
  return { readiness, requests, leads, confirms };
}

describe('readiness', () => {
  test('is lost with the leader, and comes back with what was committed then', () => {
    const { readiness, requests, leads, confirms } = asked();
    leads('a');
    expect(readiness.whyBehind(raft(9))).toMatchObject({ code: 'QUORATE_CATCHING_UP' });
    confirms(9);
    expect(readiness.whyBehind(raft(9))).toBeUndefined();
    confirms(20);
    expect(readiness.whyBehind(raft(9))).toBeUndefined();
    requests[0]?.done(undefined);

    leads(null);
    leads('b');
    // A late answer of the leader before says nothing.
    confirms(9, requests[0]);
    expect(readiness.whyBehind(raft(29))?.message).toContain('has not confirmed');
    confirms(30);
    expect(readiness.whyBehind(raft(29))?.message).toBe('catching up, 29 of 30 log entries are applied');
    expect(readiness.whyBehind(raft(30))).toBeUndefined();
  });

  test('P48 a node that receives a snapshot has not caught up, though it once had', () => {
    const { readiness, leads, confirms } = asked();
    leads('a');
    confirms(9);
    const receiving = (received: number) => {
      return raft(9, { from: 'a', snapshot: { index: 40, term: 1 }, bytes: 1_000, received } as never);
    };
    expect(readiness.whyBehind(receiving(409))).toMatchObject({
      code: 'QUORATE_CATCHING_UP',
      message: 'catching up, it receives a snapshot from a: 40 % of 1000 bytes',
    });
    expect(readiness.whyBehind(receiving(1_000))?.message).toBe(
      'catching up, it takes in the snapshot that a has sent',
    );
    expect(readiness.whyBehind(raft(40))).toBeUndefined();
  });

  test('asks again where the answer was lost, and no more once it is known or the node is closed', () => {
    const { requests, leads, confirms } = asked();
    const lost = new QuorateError('QUORATE_NO_LEADER', 'no answer');
    leads('a');
    expect(requests).toHaveLength(1);
    requests[0]?.done(lost);
    expect(requests).toHaveLength(2);
    confirms(3);
    requests[1]?.done(lost);
    expect(requests).toHaveLength(2);
    leads('b');
    requests[2]?.done(new QuorateError('QUORATE_CLOSED', 'closed'));
    expect(requests).toHaveLength(3);
  });
});
