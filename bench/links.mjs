import { NamespacedCluster, whyNoNamespaces } from './namespaced-cluster.mjs';

/**
 * How links between nodes recover, how well they use a slow line, and what a stopped peer costs, with real processes in network
 * namespaces. `node bench/links.mjs [heal] [slow] [stopped]`; needs Linux and root.
 */
const MIB = 1024 * 1024;
const wanted = process.argv.slice(2);
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function withCluster(measure) {
  const cluster = new NamespacedCluster();
  try {
    await cluster.start();
    await measure(cluster, await cluster.leader());
  } finally {
    await cluster.close();
  }
}

/** From the heal to the first moment at which the follower that was cut off hears its leader again. */
async function heal(cutMs) {
  await withCluster(async (cluster, leader) => {
    const cutOff = cluster.ids.find((id) => id !== leader);
    const { term } = await cluster.status(leader);
    cluster.isolate(cutOff);
    await sleep(cutMs);
    cluster.heal();
    const healedAt = performance.now();
    let status;
    do status = await cluster.status(cutOff);
    while (status?.leaderId == null);
    const tookMs = performance.now() - healedAt;
    const after = await cluster.status(await cluster.leader());
    console.log(
      `heal after a cut of ${cutMs / 1_000} s: a leader is known after ${tookMs.toFixed(0)} ms; terms ${term} -> ${after.term}`,
    );
  });
}

/** A follower that missed 24 MiB is brought up over a line of 1 MB/s. */
async function slow(valueBytes) {
  await withCluster(async (cluster, leader) => {
    const behind = cluster.ids.find((id) => id !== leader);
    cluster.signal(behind, 'SIGKILL');
    for (let at = 0; at < (24 * MIB) / valueBytes; at += 1) {
      const answer = await cluster.ask(leader, `/v1/kv/k${at}`, {
        method: 'PUT',
        bytes: valueBytes,
        timeoutMs: 30_000,
      });
      if (answer?.status !== 200) throw new Error(`a put was answered ${JSON.stringify(answer)}`);
    }
    const { commitIndex } = await cluster.status(leader);
    cluster.slow(behind, 1_000_000);
    const before = cluster.bytesTo(behind);
    cluster.run(behind);
    const startedAt = performance.now();
    let appliedAt;
    do {
      await sleep(20);
      appliedAt = (await cluster.status(behind))?.lastApplied ?? 0;
    } while (appliedAt < commitIndex);
    const seconds = (performance.now() - startedAt) / 1_000;
    const carried = cluster.bytesTo(behind) - before;
    const needed = 24 * MIB;
    const used = needed / seconds / 1_000_000;
    console.log(
      `24 MiB in values of ${valueBytes / 1024} KiB over 1 MB/s: ${seconds.toFixed(1)} s, the line used at ${(used * 100).toFixed(0)} %; ${(carried / MIB).toFixed(1)} MiB carried, ${((carried / needed - 1) * 100).toFixed(1)} % beside the values`,
    );
  });
}

/** A follower is stopped while the leader answers linearizable reads and beats. */
async function stopped(reads) {
  await withCluster(async (cluster, leader) => {
    const follower = cluster.ids.find((id) => id !== leader);
    const load = async (count) => {
      let left = count;
      const one = async () => {
        for (; left > 0; left -= 1) await cluster.ask(leader, '/v1/kv/none');
      };
      await Promise.all(Array.from({ length: 32 }, one));
    };
    await load(5_000);
    const before = cluster.memoryOf(leader);
    cluster.signal(follower, 'SIGSTOP');
    await load(reads);
    const after = cluster.memoryOf(leader);
    cluster.signal(follower, 'SIGCONT');
    console.log(
      `a stopped follower and ${reads} reads: the leader's memory ${(before / MIB).toFixed(0)} -> ${(after / MIB).toFixed(0)} MiB`,
    );
  });
}

const why = whyNoNamespaces();
if (why !== undefined) throw new Error(`nothing can be measured here: ${why}`);
const isWanted = (name) => wanted.length === 0 || wanted.includes(name);
if (isWanted('heal')) {
  await heal(2_000);
  await heal(60_000);
}
if (isWanted('slow')) {
  await slow(2 * MIB);
  await slow(512 * 1024);
}
if (isWanted('stopped')) await stopped(20_000);
