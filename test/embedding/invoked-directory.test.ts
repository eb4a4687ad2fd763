import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { assign, createActor, setup, waitFor } from 'xstate';
import type { DataDirectory } from '../../src/index.js';
import { KeyValueStore, NodeDisk, nodeChecksum, openDataDirectory, systemClock } from '../../src/index.js';
import type { ReplicaReply, ReplicaRequest } from '../../src/machines.js';
import { replica } from '../../src/machines.js';
import { MemoryNetwork } from '../../src/testing/index.js';

let dataDir: string;
beforeEach(() => {
  dataDir = mkdtempSync(path.join(tmpdir(), 'invoked-'));
});
afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

const openDirectory = (): Promise<DataDirectory> =>
  new Promise((resolve, reject) => {
    openDataDirectory(
      {
        disk: new NodeDisk(dataDir, systemClock),
        checksum: nodeChecksum,
        clusterId: 'shop',
        cluster: 'shop',
        members: { a: 'a' },
        nodeId: 'a',
        makeIncarnation: () => 'first',
      },
      (error, directory) => (directory === undefined ? reject(error) : resolve(directory)),
    );
  });

/** One stay in the state that invokes the replica: asks, has the answer, and leaves; the directory is let go. */
async function askOnce(request: ReplicaRequest): Promise<unknown> {
  const directory = await openDirectory();
  let onClosed: (error?: Error) => void = () => undefined;
  const closed = new Promise<void>((resolve, reject) => {
    onClosed = (error) => directory.unlock(() => (error === undefined ? resolve() : reject(error)));
  });
  const input = {
    identity: directory.identity,
    servers: [{ id: 'a', address: 'a' }],
    seed: 1,
    log: directory.log,
    transport: new MemoryNetwork({ clock: systemClock }).transport('a'),
    stateMachine: new KeyValueStore(),
    clock: systemClock,
    onClosed,
  };
  const shop = setup({
    types: { context: {} as { reply: ReplicaReply | undefined }, events: {} as ReplicaReply | { type: 'close' } },
    actors: { replica: replica(input) },
  }).createMachine({
    context: { reply: undefined },
    initial: 'open',
    states: {
      open: {
        invoke: { src: 'replica', id: 'replica' },
        on: {
          close: 'closed',
          'replica.answered': { actions: assign({ reply: ({ event }) => event }) },
          'replica.refused': { actions: assign({ reply: ({ event }) => event }) },
        },
      },
      closed: { type: 'final' },
    },
  });
  const actor = createActor(shop).start();
  actor.getSnapshot().children.replica?.send(request);
  const { context } = await waitFor(actor, ({ context: { reply } }) => reply !== undefined);
  actor.send({ type: 'close' });
  await closed;
  return context.reply;
}

test('a state that is entered again finds in its directory what it wrote the last time, and can write more', async () => {
  const put = (key: string): ReplicaRequest => {
    const command = { kind: 'put', key, value: Buffer.from(key) };
    return { type: 'replica.propose', id: key, command };
  };
  const list: ReplicaRequest = {
    type: 'replica.read',
    id: 'list',
    query: (store) => (store as KeyValueStore).list({ prefix: '', limit: 10 }).items.map(({ key }) => key),
  };
  expect(await askOnce(put('apples'))).toMatchObject({ type: 'replica.answered', id: 'apples' });
  expect(await askOnce(put('pears'))).toMatchObject({ type: 'replica.answered', id: 'pears' });
  expect(await askOnce(list)).toEqual({ type: 'replica.answered', id: 'list', result: ['apples', 'pears'] });
});
