// NATS's failures on real processes: what each scenario does, round after round, to one cluster.
import { flipInLog, flipInSnapshot, LOG_REGIONS, pick } from './bit-flips.mjs';
import { Processes } from './processes.mjs';
import { problemWithRefusal } from './refusals.mjs';

const WRITERS = 8;
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Rounds of one scenario on a cluster of its own: every acknowledged write of all of them is looked for after each. */
export class ProcessRuns {
  /** Values by key. */
  acknowledged = new Map();
  refused = [];
  started = [];
  lostBytes = 0;
  #written = 0;

  constructor(cluster, random) {
    this.cluster = cluster;
    this.random = random;
  }

  static async begin(random) {
    return new ProcessRuns(await Processes.start(), random);
  }

  anyId = () => pick(this.cluster.ids, this.random);

  /** One run of a scenario; resolves with how many acknowledged writes are missing at some node. Throws where a promise is broken. */
  async run(scenario, number) {
    const { cluster } = this;
    await SCENARIOS[scenario](this, number);
    for (const id of cluster.ids) if (!cluster.isUp(id)) cluster.run(id);
    for (const id of cluster.ids) {
      if (!(await cluster.comesUp(id))) throw new Error(`${id} ended at the end: ${cluster.logOf(id).slice(-2_000)}`);
    }
    await cluster.leader();
    await this.writeFor(50);
    // What a killed process has left must keep none from taking its next one.
    if (scenario === 'kill during a snapshot') for (const id of cluster.ids) await cluster.snapshot(id);
    let lost = 0;
    for (const id of cluster.ids) {
      const there = await cluster.contents(id);
      const missing = [...this.acknowledged].filter(([key, value]) => there.get(key) !== value);
      if (missing.length > 0)
        process.stderr.write(`${id} lacks ${missing.length}: ${missing[0][0]} … ${missing.at(-1)[0]}\n`);
      lost = Math.max(lost, missing.length);
    }
    return lost;
  }

  /** Begins to write at these nodes; the returned function ends it. */
  async beginWriting(ids = this.cluster.ids) {
    const clients = await Promise.all(ids.map((id) => this.cluster.connect([id])));
    let isOver = false;
    const writers = Array.from({ length: WRITERS }, async (_, at) => {
      while (!isOver) {
        const key = `k${String(this.#written++).padStart(7, '0')}`;
        const value = `${key} ${'v'.repeat(Math.floor(this.random() * 200))}`;
        await clients[at % clients.length].put(key, value, { timeoutMs: 1_000 }).then(
          () => this.acknowledged.set(key, value),
          () => pause(5),
        );
      }
    });
    return async () => {
      isOver = true;
      await Promise.all(writers);
      await Promise.all(clients.map((client) => client.close()));
    };
  }

  /** Waits until so many more writes are acknowledged; a cluster that is busy with something else gets a few seconds for it. */
  async untilAcknowledged(count) {
    const [enough, untilMs] = [this.acknowledged.size + count, Date.now() + 5_000];
    while (this.acknowledged.size < enough && Date.now() < untilMs) await pause(5);
    await pause(this.random() * 20);
  }

  /** At least so many acknowledged writes, where the cluster is quick enough. */
  async write(count, ids) {
    const end = await this.beginWriting(ids);
    await this.untilAcknowledged(count);
    await end();
  }

  async writeFor(ms, ids) {
    const end = await this.beginWriting(ids);
    await pause(ms);
    await end();
  }

  async cut(ids) {
    this.lostBytes += await this.cluster.cutPower(ids, this.random);
  }

  async startAll(ids) {
    for (const id of ids) {
      if (!this.cluster.isUp(id)) this.cluster.run(id);
      await pause(this.random() * 100);
    }
  }

  /** Changes one file of a node that is down and starts it. Returns how to mend the file where the node refuses. */
  async startDamaged(id, change) {
    const { cluster } = this;
    const good = cluster.filesOf(id)[change.name];
    const before = cluster.logOf(id).length;
    cluster.write(id, change.name, change.bytes);
    cluster.run(id);
    return async () => {
      if (cluster.isUp(id)) {
        this.started.push(change.what);
        return;
      }
      const said = cluster.logOf(id).slice(before);
      const code = /QUORATE_\w+/.exec(said)?.[0] ?? (/damaged/.test(said) ? 'QUORATE_DATA_DAMAGED' : undefined);
      const wrong = problemWithRefusal({ code, message: said, name: 'a process that ended' }, change.name);
      if (wrong !== undefined) throw new Error(`${change.what}: ${wrong}: ${said.slice(-1_500)}`);
      this.refused.push(change.what);
      cluster.write(id, change.name, good);
    };
  }

  close = (options) => this.cluster.close(options);
}

const SCENARIOS = {
  'power cut of all': async (run) => {
    const end = await run.beginWriting();
    await run.untilAcknowledged(50 + run.random() * 100);
    await run.cut(run.cluster.ids);
    await end();
    await run.startAll(shuffled(run.cluster.ids, run.random));
  },

  'power cut with a pause': async (run) => {
    const { cluster, random } = run;
    const paused = random() < 0.5 ? await cluster.leader() : run.anyId();
    const others = cluster.ids.filter((id) => id !== paused);
    const endFirst = await run.beginWriting();
    await run.untilAcknowledged(20);
    cluster.signal(paused, 'SIGSTOP');
    await endFirst();
    const end = await run.beginWriting(others);
    await run.untilAcknowledged(50 + random() * 50);
    const cutsPaused = random() < 0.5;
    await run.cut(cutsPaused ? cluster.ids : others);
    await end();
    // The paused one lacks the newest writes, and comes back with one that has them: they are a majority.
    const [first, last] = shuffled(others, random);
    cluster.run(first);
    if (cutsPaused) cluster.run(paused);
    else {
      await pause(random() * 500);
      cluster.signal(paused, 'SIGCONT');
    }
    await cluster.leader([first, paused]);
    await run.writeFor(100, [first, paused]);
    cluster.run(last);
  },

  'bit flips in snapshots': (run) => damageOne(run, (files) => flipInSnapshot(files, run.random)),

  'bit flips in logs': (run, number) => {
    return damageOne(run, (files) => flipInLog(files, LOG_REGIONS[number % LOG_REGIONS.length], run.random));
  },

  'kill during a snapshot': async (run) => {
    const { cluster, random } = run;
    const victim = random() < 0.5 ? await cluster.leader() : run.anyId();
    const dieAt = Math.floor(random() * 10);
    cluster.dieInSnapshot(victim, dieAt);
    const end = await run.beginWriting();
    const isDead = await Promise.race([cluster.ended(victim).then(() => true), pause(10_000)]);
    cluster.letLive(victim);
    if (isDead) run.started.push(`killed at call ${dieAt} of a snapshot`);
    if (random() < 0.5) await run.cut(random() < 0.5 ? cluster.ids : [victim]);
    await end();
    await run.startAll(shuffled(cluster.ids, random));
  },
};

/** All lose power, one of the two that hold the newest writes is damaged, and comes back first with the one that lacks them. */
async function damageOne(run, changeOf) {
  const { cluster, random } = run;
  await run.write(30);
  const [behind, victim, other] = shuffled(cluster.ids, random);
  cluster.signal(behind, 'SIGSTOP');
  await run.write(50 + random() * 50, [victim, other]);
  const cutsAll = random() < 0.7;
  await run.cut(cutsAll ? cluster.ids : [victim]);
  if (cutsAll) cluster.run(behind);
  else cluster.signal(behind, 'SIGCONT');
  const change = changeOf(cluster.filesOf(victim));
  const mend = change === undefined ? cluster.run(victim) : await run.startDamaged(victim, change);
  // Those two are a majority, if the damaged one takes part.
  await cluster.comesUp(victim);
  await run.writeFor(50, [behind]);
  await mend?.();
  if (!cluster.isUp(other)) cluster.run(other);
  await cluster.comesUp(other);
}

function shuffled(values, random) {
  return values
    .map((value) => ({ value, key: random() }))
    .sort((a, b) => a.key - b.key)
    .map(({ value }) => value);
}
