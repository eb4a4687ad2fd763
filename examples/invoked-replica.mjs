/**
 * A replica invoked in a statechart of your own, with real storage and transport: the shop is open while its replica runs. Three
 * shops in one process; each writes through its own replica, whoever leads, then one reads what all have written.
 *
 *   node examples/invoked-replica.mjs
 */
import { randomBytes, randomInt } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  EntryEncoder,
  KeyValueStore,
  NodeDisk,
  nodeChecksum,
  openDataDirectory,
  systemClock,
  WebSocketTransport,
} from 'quorate';
import { replica } from 'quorate/machines';
import { assign, createActor, sendTo, setup, waitFor } from 'xstate';

const [first = 8301] = process.argv.slice(2).map(Number);
const ids = ['n1', 'n2', 'n3'];
const servers = ids.map((id, at) => ({ id, address: `127.0.0.1:${first + at}` }));
const base = mkdtempSync(path.join(tmpdir(), 'invoked-replica-'));

/** What a replica stands on: a locked directory with its log, and a port. */
async function prepare({ id, address }) {
  // Shared by log and transport, so that entries are encoded once for both.
  const entryEncoder = new EntryEncoder();
  const directory = await new Promise((resolve, reject) => {
    openDataDirectory(
      {
        disk: new NodeDisk(path.join(base, id), systemClock),
        checksum: nodeChecksum,
        clusterId: 'shops',
        cluster: 'shops',
        members: Object.fromEntries(servers.map((server) => [server.id, server.address])),
        nodeId: id,
        makeIncarnation: () => randomBytes(16).toString('hex'),
        entryEncoder,
      },
      (error, opened) => (error === undefined ? resolve(opened) : reject(error)),
    );
  });
  const server = createServer();
  await new Promise((resolve) => server.listen(Number(address.split(':')[1]), '127.0.0.1', resolve));
  const { knownPeers, identity, log } = directory;
  const transport = new WebSocketTransport({ server, clock: systemClock, knownPeers, entryEncoder });
  let onClosed;
  const closed = new Promise((resolve, reject) => {
    onClosed = (error) => {
      server.close();
      directory.unlock(() => (error === undefined ? resolve() : reject(error)));
    };
  });
  const stateMachine = new KeyValueStore();
  const input = {
    identity,
    servers,
    seed: randomInt(2 ** 31),
    log,
    transport,
    stateMachine,
    clock: systemClock,
    onClosed,
  };
  return { id, input, closed };
}

const shopOf = ({ id, input }) =>
  setup({ actors: { replica: replica(input) } }).createMachine({
    context: { keys: undefined },
    initial: 'open',
    on: { close: '.closed' },
    states: {
      open: {
        invoke: { src: 'replica', id: 'replica', onError: 'broken' },
        initial: 'writing',
        states: {
          writing: {
            entry: sendTo('replica', () => {
              const command = { kind: 'put', key: id, value: new TextEncoder().encode('sold') };
              return { type: 'replica.propose', id: 'write', command, timeoutMs: 10_000 };
            }),
            on: {
              'replica.answered': 'written',
              'replica.refused': { target: 'writing', reenter: true },
            },
          },
          written: { on: { look: 'reading' } },
          reading: {
            entry: sendTo('replica', {
              type: 'replica.read',
              id: 'read',
              query: (store) => store.list({ prefix: '', limit: 10 }).items.map(({ key }) => key),
            }),
            on: {
              'replica.answered': { target: 'written', actions: assign({ keys: ({ event }) => event.result }) },
              'replica.refused': { target: 'reading', reenter: true },
            },
          },
        },
      },
      broken: { entry: ({ event }) => console.log(`${id} is broken: ${event.error.message}`) },
      closed: {},
    },
  });

const prepared = await Promise.all(servers.map(prepare));
const shops = prepared.map((one) => createActor(shopOf(one)).start());
for (const shop of shops) await waitFor(shop, (snapshot) => snapshot.matches({ open: 'written' }));
const [, , last] = shops;
last.send({ type: 'look' });
const { context } = await waitFor(last, ({ context: { keys } }) => keys !== undefined);
console.log(`sold at ${context.keys.join(', ')}`);
// Leaving the state ends the replica, and closes its log.
for (const shop of shops) shop.send({ type: 'close' });
await Promise.all(prepared.map(({ closed }) => closed));
rmSync(base, { recursive: true });
