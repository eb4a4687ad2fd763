import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { NamespacedCluster, whyNoNamespaces } from '../../bench/namespaced-cluster.mjs';
import { found, until } from '../waiting/conditions.js';

/** So long that a kernel waits for more than six seconds before it repeats what the cut swallowed. */
const CUT_MS = 7_000;
/**
 * Elections of a node that was cut off, from the heal until its links are back. Counted instead of timed, so that a busy machine
 * changes nothing: a node whose links stay dead goes on at three or four a second.
 */
const MOST_ELECTIONS = 8;

const why = whyNoNamespaces();

describe('cables between nodes, cut and healed', () => {
  let cluster: NamespacedCluster;
  let leader: string;
  let follower: string;

  beforeAll(async () => {
    if (why !== undefined) return;
    cluster = new NamespacedCluster();
    await cluster.start();
  });

  beforeEach(async () => {
    if (why !== undefined) return;
    leader = await cluster.leader();
    follower = cluster.ids.find((id) => id !== leader) as string;
  });

  afterAll(async () => {
    if (why === undefined) await cluster.close();
  });

  const statusOf = (id: string) => found(() => cluster.status(id));
  const writes = async (id: string, value: string): Promise<boolean> =>
    (await cluster.ask(id, '/v1/kv/key', { method: 'PUT', text: value }))?.status === 200;
  const others = (id: string): readonly string[] => cluster.ids.filter((other) => other !== id);
  const pass = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

  /** Heals everything: all links of the node that was cut off are back before it has stood often, and the cluster works again. */
  async function healsSoon(cutOff: string): Promise<void> {
    const before = cluster.outputOf(cutOff).length;
    cluster.heal();
    const since = (): string => cluster.outputOf(cutOff).slice(before);
    await until(() => others(cutOff).every((peer) => since().includes(`connected to ${peer}`)));
    const ends = others(cutOff).map((peer) => since().indexOf(`connected to ${peer}`));
    const elections =
      since()
        .slice(0, Math.max(...ends))
        .split('election in term').length - 1;
    expect(elections).toBeLessThanOrEqual(MOST_ELECTIONS);
    await until(() => writes(cutOff, 'after'));
  }

  function inNamespaces(name: string, story: () => Promise<void>): void {
    test(name, async () => {
      if (why === undefined) return story();
      process.stderr.write(`not tested: "${name}": ${why}\n`);
      if (process.env.CI !== undefined) throw new Error(`this test must run on CI: ${why}`);
    });
  }

  inNamespaces(
    'P49 a follower that was cut off for seconds is back before it has stood for a dozen elections',
    async () => {
      cluster.isolate(follower);
      await until(() => writes(leader, 'meanwhile'));
      await pass(CUT_MS);
      await healsSoon(follower);
    },
  );

  inNamespaces('P49 so is one that heard nothing, and was heard', async () => {
    for (const other of others(follower)) cluster.cut(other, follower);
    await until(async () => (await statusOf(follower)).leaderId === null);
    await until(() => writes(leader, 'meanwhile'));
    await pass(CUT_MS);
    await healsSoon(follower);
  });

  inNamespaces('P49 and one that heard everything, and was not heard', async () => {
    for (const other of others(follower)) cluster.cut(follower, other);
    // Whoever does not hear it hangs up, and so it hears no leader any more either.
    await until(async () => (await statusOf(follower)).leaderId === null);
    await until(() => writes(leader, 'meanwhile'));
    await pass(CUT_MS);
    await healsSoon(follower);
  });

  inNamespaces('a leader that is cut off gives way, and is back as a follower', async () => {
    cluster.isolate(leader);
    const next = await cluster.leader(others(leader));
    await until(() => writes(next, 'meanwhile'));
    await pass(CUT_MS);
    await healsSoon(leader);
  });

  inNamespaces(
    'a follower that was stopped and goes on is caught up, though its links were ended meanwhile',
    async () => {
      cluster.signal(follower, 'SIGSTOP');
      for (let at = 0; at < 20; at += 1) await until(() => writes(leader, `meanwhile ${at}`));
      await until(() => cluster.outputOf(leader).includes(`not connected to ${follower}`));
      cluster.signal(follower, 'SIGCONT');
      await until(() => writes(follower, 'after'));
      const { commitIndex } = await statusOf(await cluster.leader());
      await until(async () => (await statusOf(follower)).lastApplied >= commitIndex);
    },
  );
});
