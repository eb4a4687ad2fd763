import { afterEach, expect, test } from '@jest/globals';
import { quorate } from '../contract/run-command.js';
import { ServedProcesses } from './served-processes.js';

/** Its id is the last one: without priorities, where a connection closes, it would be the last to stand. */
const PREFERRED = 'n3';
/** Deaths of a leader after which the preferred node is there to succeed it. */
const SUCCESSIONS = 5;
/** A machine that is busy may hold up the preferred node for once. */
const LEAST = SUCCESSIONS - 1;

interface Status {
  readonly role: string;
  readonly term: number;
  readonly priority: number;
  readonly commitIndex: number;
  readonly lastApplied: number;
}

let cluster: ServedProcesses | undefined;

afterEach(async () => {
  await cluster?.close();
  cluster = undefined;
});

async function statusOf(id: string, served: ServedProcesses): Promise<Status | undefined> {
  const answer = await served.http(id, 'GET', '/v1/status').catch(() => undefined);
  return answer?.status === 200 ? JSON.parse(answer.body) : undefined;
}

/** The node that leads, once all others follow it and hold what it has committed: each of them may be elected. */
async function leaderOfEqualLogs(served: ServedProcesses): Promise<{ readonly id: string; readonly term: number }> {
  for (;;) {
    const id = await served.leader();
    const leader = await statusOf(id, served);
    const others = await Promise.all(
      served.ids.filter((other) => other !== id).map((other) => statusOf(other, served)),
    );
    const areEqual = others.every(
      (other) => other?.role === 'follower' && other.term === leader?.term && other.lastApplied === leader.commitIndex,
    );
    if (leader?.role === 'leader' && areEqual) return { id, term: leader.term };
  }
}

/** The first term after `term` in which a node stood for election; infinite where it did not stand. */
function firstCandidacy(id: string, term: number, served: ServedProcesses): number {
  const terms = [...served.logOf(id).matchAll(/election in term (\d+)/g)].map(([, stoodFor]) => Number(stoodFor));
  return Math.min(...terms.filter((stoodFor) => stoodFor > term));
}

test('where a leader is killed, the node of the highest priority stands before all others, and leads', async () => {
  cluster = await ServedProcesses.start(['n1', 'n2', 'n3'], (id) => ({
    QUORATE_PRIORITY: id === PREFERRED ? '10' : '1',
  }));
  const successions: { readonly leads: string; readonly stoodFirst: boolean }[] = [];
  while (successions.length < SUCCESSIONS) {
    const { id: old, term } = await leaderOfEqualLogs(cluster);
    const survivors = cluster.ids.filter((id) => id !== old);
    await cluster.kill(old);
    const leads = await cluster.leader(survivors);
    const [preferred, ...others] = [PREFERRED, ...survivors.filter((id) => id !== PREFERRED)].map((id) =>
      firstCandidacy(id, term, cluster as ServedProcesses),
    );
    if (old !== PREFERRED) successions.push({ leads, stoodFirst: others.every((other) => Number(preferred) < other) });
    cluster.run(old);
  }
  expect(successions.filter(({ stoodFirst }) => stoodFirst).length).toBeGreaterThanOrEqual(LEAST);
  expect(successions.filter(({ leads }) => leads === PREFERRED).length).toBeGreaterThanOrEqual(LEAST);
}, 300_000);

test('each node says its own priority, and the command line which nodes have a low one', async () => {
  cluster = await ServedProcesses.start(['n1', 'n2', 'n3'], (id) => ({
    QUORATE_PRIORITY: id === PREFERRED ? '10' : '1',
  }));
  await leaderOfEqualLogs(cluster);
  const statuses = await Promise.all(cluster.ids.map((id) => statusOf(id, cluster as ServedProcesses)));
  expect(statuses.map((status) => status?.priority)).toEqual([1, 1, 10]);
  const { out } = await quorate(['status', '--endpoints', cluster.endpoints().join(',')]);
  const lines = out.split('\n').filter((line) => /^\W+n\d\b/.test(line));
  expect(lines.map((line) => line.includes('(priority 1)'))).toEqual([true, true, false]);
}, 120_000);
