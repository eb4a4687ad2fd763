// NATS's failures on the simulator: virtual time, network and disks, all decided by one seed.
import { simulate } from '../../dist/src/testing/index.js';
import { flipInLog, flipInSnapshot, LOG_REGIONS, pick } from './bit-flips.mjs';
import { problemWithRefusal } from './refusals.mjs';

/** One run: throws where a promise is broken. */
export function runSimulated(scenario, seed) {
  const five = seed % 4 === 0;
  const options = { replicas: five ? 'abcde' : 'abc', snapshotLogBytes: 3_000, mostDiskMs: 1 + (seed % 5) };
  const cluster = simulate({ ...options, seed }).untilServing();
  const run = new Run(cluster, seed);
  SCENARIOS[scenario](run);
  return run.end();
}

class Run {
  commands = 0;
  /** In words: each start on damaged files that was refused. */
  refused = [];
  /** What was damaged without a refusal. */
  started = [];

  constructor(cluster, seed) {
    this.cluster = cluster;
    this.seed = seed;
    this.ids = [...cluster.replicas.keys()];
  }

  random = () => this.cluster.random();
  anyId = () => pick(this.ids, this.random);

  /** Commands and reads at random nodes for a while. */
  writeFor(durationMs, at = this.ids) {
    const { cluster, random } = this;
    const untilMs = cluster.time.now() + durationMs;
    while (cluster.time.now() < untilMs) {
      for (let turn = 0; turn < 1 + random(); turn += 1) {
        this.commands += 1;
        cluster.propose(`c${this.commands} ${'x'.repeat(Math.floor(random() * 120))}`, pick(at, random));
      }
      if (random() < 0.3) cluster.read(pick(at, random));
      cluster.runFor(random() * 30);
    }
  }

  /** Power cuts at the same moment. */
  cut(ids) {
    for (const id of ids) this.cluster.crash(id);
  }

  restartInAnyOrder(ids) {
    for (const id of shuffled(ids, this.random)) {
      if (!this.cluster.replica(id).isUp) this.cluster.restart(id);
      this.cluster.runFor(this.random() * 100);
    }
  }

  filesOf(id) {
    const { disk } = this.cluster.replica(id);
    return Object.fromEntries(disk.files.map((name) => [name, disk.peek(name)]));
  }

  /** Changes one file of a node that is down, and starts it. Where it refuses, it stays down, and `mend` is for later. */
  startDamaged(id, change) {
    const { cluster } = this;
    const replica = cluster.replica(id);
    const good = this.filesOf(id)[change.name];
    replica.disk.poke(change.name, change.bytes);
    cluster.restart(id);
    try {
      cluster.runUpTo(3_000, () => replica.isServing || (replica.raft !== undefined && replica.role !== 'recovering'));
      this.started.push(change.what);
      return undefined;
    } catch (error) {
      const wrong = problemWithRefusal(error, change.name);
      if (wrong !== undefined) throw new Error(`${change.what}: ${wrong}: ${error.message}`);
      this.refused.push(change.what);
      cluster.crash(id);
      return () => replica.disk.poke(change.name, good);
    }
  }

  end() {
    const { cluster, ids } = this;
    cluster.verify();
    for (const id of ids) cluster.read(id);
    cluster.propose('the last', cluster.leader?.id).verify();
    const acknowledged = cluster.acknowledged();
    let lost = 0;
    for (const id of ids) {
      const there = new Set(cluster.replica(id).stateMachine.commands);
      lost = Math.max(lost, acknowledged.filter((command) => !there.has(command)).length);
    }
    return { acknowledged: acknowledged.length, lost, refused: this.refused, started: this.started };
  }
}

const SCENARIOS = {
  'power cut of all': (run) => {
    for (let round = 0; round < 3; round += 1) {
      run.writeFor(200 + run.random() * 500);
      run.cut(run.ids);
      run.cluster.runFor(run.random() * 50);
      run.restartInAnyOrder(run.ids);
    }
    run.writeFor(300);
  },

  'power cut with a pause': (run) => {
    const { cluster, ids } = run;
    for (let round = 0; round < 3; round += 1) {
      run.writeFor(200 + run.random() * 200);
      const paused = cluster.replica(pick([cluster.leader?.id, ...ids].filter(Boolean), run.random));
      paused.clock.pause();
      const others = ids.filter((id) => id !== paused.id);
      run.writeFor(100 + run.random() * 900, others);
      const cutsPaused = run.random() < 0.5;
      run.cut(cutsPaused ? ids : others);
      // The paused one, which lacks the newest writes, is among those that come back first; one that has them may come late.
      const first = shuffled(others, run.random).slice(0, Math.floor(ids.length / 2));
      if (run.random() < 0.5) run.restartInAnyOrder(first);
      if (cutsPaused) cluster.restart(paused.id);
      else paused.clock.resume();
      run.restartInAnyOrder(first);
      run.writeFor(run.random() * 800, [paused.id, ...first]);
      run.restartInAnyOrder(others);
    }
    run.writeFor(300);
  },

  'bit flips in snapshots': (run) => damageMinority(run, (files) => flipInSnapshot(files, run.random)),

  'bit flips in logs': (run) =>
    damageMinority(run, (files) => flipInLog(files, LOG_REGIONS[run.seed % LOG_REGIONS.length], run.random)),

  'kill during a snapshot': (run) => {
    const { cluster } = run;
    for (let round = 0; round < 3; round += 1) {
      const victim = cluster.replica(run.random() < 0.5 ? (cluster.leader?.id ?? run.anyId()) : run.anyId());
      const dieAt = Math.floor(run.random() * 12);
      let calls = -1;
      victim.disk.failure = ({ name, operation }) => {
        const isOfSnapshot = /^snapshot/.test(name) || (calls >= 0 && ['syncDirectory', 'remove'].includes(operation));
        if (isOfSnapshot) calls += 1;
        return undefined;
      };
      const untilMs = cluster.time.now() + 4_000;
      while (calls < dieAt && cluster.time.now() < untilMs) {
        run.commands += 1;
        cluster.propose(`c${run.commands} ${'y'.repeat(Math.floor(run.random() * 200))}`, run.anyId());
        cluster.runUpTo(10, () => calls >= dieAt);
        // Where nothing happens within these milliseconds, time goes on all the same.
        if (calls < dieAt) cluster.runFor(5);
      }
      victim.disk.failure = () => undefined;
      if (calls >= dieAt) run.started.push(`killed at call ${dieAt} of a snapshot`);
      if (run.random() < 0.5) cluster.kill(victim.id);
      else cluster.crash(victim.id);
      if (run.random() < 0.3) run.cut(run.ids);
      run.writeFor(run.random() * 200);
      run.restartInAnyOrder(run.ids);
    }
    run.writeFor(200);
  },
};

/** All lose power, one of those that hold the newest writes is damaged, and comes back together with one that lacks them. */
function damageMinority(run, changeOf) {
  const { cluster, ids } = run;
  run.writeFor(400 + run.random() * 600);
  const behind = cluster.replica(run.anyId());
  behind.clock.pause();
  const others = ids.filter((id) => id !== behind.id);
  run.writeFor(300 + run.random() * 500, others);
  const most = Math.floor((ids.length - 1) / 2);
  const victims = shuffled(others, run.random).slice(0, 1 + Math.floor(run.random() * most));
  run.cut(run.random() < 0.7 ? ids : victims);
  if (behind.clock.isPaused) behind.clock.resume();
  if (!behind.isUp) cluster.restart(behind.id);
  const mends = victims.map((id) => {
    const change = changeOf(run.filesOf(id));
    if (change === undefined) return undefined;
    return run.startDamaged(id, change);
  });
  // With a damaged one that starts they may be a majority.
  run.writeFor(run.random() * 1_000, [behind.id]);
  run.restartInAnyOrder(others.filter((id) => !victims.includes(id)));
  run.writeFor(300 + run.random() * 300);
  for (const mend of mends) mend?.();
  run.restartInAnyOrder(victims);
  run.writeFor(200);
}

function shuffled(values, random) {
  return values
    .map((value) => ({ value, key: random() }))
    .sort((a, b) => a.key - b.key)
    .map(({ value }) => value);
}
