/**
 * What a write costs in the actors alone, hot: no sockets, no disk. By the fast transition (docs/decisions/0011) and by XState alone,
 * in turn. `npm run build && node bench/actors.mjs`.
 */
import { createActor } from 'xstate';
import { heartbeatManager } from '../dist/actors/heartbeat-manager.js';
import { link } from '../dist/actors/link.js';
import { replicator } from '../dist/actors/replicator.js';
import { replicaMachine } from '../dist/machines/index.js';
import { keyValueCommandCodec } from '../dist/src/key-value/codec.js';
import { KeyValueStore } from '../dist/src/key-value/store.js';
import { MemoryLogStore } from '../dist/src/log/memory-log-store.js';
import { systemClock } from '../dist/src/node/system-clock.js';

const BLOCKS = 40;
const WRITES = 1_000;
const PAYLOAD = keyValueCommandCodec.encode({ kind: 'put', key: 'key', value: new Uint8Array(256) });
const plain = replicaMachine.provide({
  actors: Object.fromEntries(
    Object.entries({ heartbeatManager, link, replicator }).map(([name, machine]) => [name, machine.provide({})]),
  ),
});

/** Replica `a` between two peers that are played, on a log in memory that is durable when it is told to be. */
function start(machine, settings = {}) {
  const sent = [];
  const syncs = [];
  const played = { sent, received: undefined };
  const transport = {
    accept: (_identity, { received }) => {
      played.received = received;
      return () => undefined;
    },
    dial: (_identity, { id }, { opened }) => {
      setImmediate(opened);
      return { send: (message) => sent.push({ from: id, message }), close: () => undefined };
    },
  };
  const input = {
    identity: { clusterId: 'bench', nodeId: 'a', incarnation: 'bench' },
    servers: ['a', 'b', 'c'].map((id) => ({ id, address: id })),
    settings,
    seed: 1,
    log: new MemoryLogStore((done) => syncs.push(done)),
    transport,
    stateMachine: new KeyValueStore(),
    clock: systemClock,
  };
  const actor = createActor(machine, { clock: systemClock, input }).start();
  played.sync = () => {
    for (let done = syncs.shift(); done !== undefined; done = syncs.shift()) done();
  };
  return { actor, ...played, hear: (from, message) => played.received(from, message) };
}

const end = (actor) => ({
  written: () => actor.getSnapshot().context.state.commitIndex + 1,
  stop: () => actor.stop(),
});

async function leaderOf(machine) {
  const { actor, sent, sync, hear } = start(machine);
  const answer = () => {
    for (const { from, message } of sent.splice(0)) {
      if (message.kind !== 'append') continue;
      const { term, previous, entries, readRound } = message;
      const matchIndex = previous.index + entries.length;
      hear(from, { kind: 'append-reply', term, accepted: true, matchIndex, readRound });
    }
  };
  while (!actor.getSnapshot().matches({ active: 'candidate' })) await new Promise((resolve) => setTimeout(resolve, 1));
  sync();
  const { term } = actor.getSnapshot().context.state;
  hear('b', { kind: 'vote-reply', term, granted: true, preVote: false });
  const exchangeAll = () => {
    for (let turn = 0; turn < 3; turn += 1) {
      sync();
      answer();
    }
  };
  exchangeAll();
  let requestId = 0;
  const write = () => {
    requestId += 1;
    actor.send({ type: 'client.proposed', requestId, commands: [PAYLOAD] });
    sync();
    answer();
  };
  return { write, ...end(actor) };
}

async function followerOf(machine) {
  // Between its blocks it hears of no leader for long.
  const patient = { ELECTION_TIMEOUT_MIN: 600_000, ELECTION_TIMEOUT_MAX: 600_000 };
  const { actor, sync, hear } = start(machine, patient);
  await new Promise((resolve) => setTimeout(resolve, 5));
  const term = 1_000;
  let index = 0;
  const write = () => {
    const previous = { index, term: index === 0 ? 0 : term };
    index += 1;
    const unused = { sessionId: 0, sequence: 0, lowWater: 0 };
    const entries = [{ kind: 'command', index, term, timeMs: 1, ...unused, payload: PAYLOAD }];
    hear('b', { kind: 'append', term, previous, entries, commitIndex: previous.index, readRound: 0 });
    sync();
  };
  return { write, ...end(actor) };
}

/** Microseconds for a write, of the quickest block and of the middle one. */
async function measure(makers) {
  const replicas = await Promise.all(makers.map((make) => make()));
  const blocks = replicas.map(() => []);
  for (let block = 0; block < BLOCKS; block += 1) {
    for (const [at, { write }] of replicas.entries()) {
      const from = performance.now();
      for (let done = 0; done < WRITES; done += 1) write();
      blocks[at].push(((performance.now() - from) * 1_000) / WRITES);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
  for (const { written, stop } of replicas) {
    if (written() < BLOCKS * WRITES) throw new Error(`only ${written()} writes were applied`);
    stop();
  }
  return blocks.map((values) => values.sort((a, b) => a - b)).map((sorted) => [sorted[0], sorted[BLOCKS / 2]]);
}

for (const [role, make] of Object.entries({ leader: leaderOf, follower: followerOf })) {
  const [short, whole] = await measure([() => make(replicaMachine), () => make(plain)]);
  const show = ([least, middle]) => `${least.toFixed(1)} µs at best, ${middle.toFixed(1)} in the middle`;
  process.stdout.write(`a write at a ${role}: ${show(short)}; by XState alone ${show(whole)}\n`);
}
