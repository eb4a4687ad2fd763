import { connect as connectTcp } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import { connect } from '../../src/client/node.js';
import { OnlyDoor } from '../contract/only-door.js';
import { answered, until } from '../waiting/conditions.js';
import { ServedProcesses } from './served-processes.js';

let cluster: ServedProcesses | undefined;
let doors: readonly OnlyDoor[] = [];

afterEach(async () => {
  await cluster?.close();
  cluster = undefined;
  for (const door of doors) await door.close();
  doors = [];
});

/** Writes again until it is acknowledged: what ends as unknown writes the same value. */
async function putFinal(others: readonly string[], served: ServedProcesses): Promise<void> {
  for (const id of endlessly(others)) {
    const answer = await served.http(id, 'PUT', '/v1/kv/k?timeout=1000', 'final').catch(() => undefined);
    if (answer?.status === 200) return;
  }
}

function* endlessly(ids: readonly string[]): Iterable<string> {
  while (ids.length > 0) yield* ids;
}

/** What the old leader holds once it has caught up: it is asked linearizably, and follows the new one by then. */
async function valueAfter(old: string, served: ServedProcesses): Promise<string> {
  for (;;) {
    const answer = await served.http(old, 'GET', '/v1/kv/k?timeout=2000').catch(() => undefined);
    const { role } = JSON.parse((await served.http(old, 'GET', '/v1/status')).body) as { role: string };
    if (answer?.status === 200 && role === 'follower') return answer.body;
  }
}

test("P45 SIGSTOP: a library client's write that was given up is not done when the old leader goes on", async () => {
  cluster = await ServedProcesses.start(['n1', 'n2', 'n3']);
  const old = await cluster.leader();
  const others = cluster.ids.filter((id) => id !== old);
  const client = await connect(cluster.endpoints([old]));
  await client.put('k', 'before');
  cluster.signal(old, 'SIGSTOP');
  const error = await client.put('k', 'ghost', { timeoutMs: 1_000 }).then(
    () => undefined,
    (thrown: Error & { code?: string }) => thrown,
  );
  expect(error?.code).toBe('QUORATE_OUTCOME_UNKNOWN');
  await putFinal(others, cluster);
  cluster.signal(old, 'SIGCONT');
  expect(await valueAfter(old, cluster)).toBe('final');
  await client.close();
});

test('P45 SIGSTOP: a write whose HTTP caller hung up is not done when the old leader goes on', async () => {
  cluster = await ServedProcesses.start(['n1', 'n2', 'n3']);
  const old = await cluster.leader();
  const others = cluster.ids.filter((id) => id !== old);
  const [host, port] = (cluster.addresses[old] as string).split(':');
  cluster.signal(old, 'SIGSTOP');
  // It would have waited for a minute.
  const caller = connectTcp(Number(port), host);
  await new Promise<void>((resolve) =>
    caller.write('PUT /v1/kv/k?timeout=60000 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nghost', () =>
      resolve(),
    ),
  );
  caller.destroy();
  await putFinal(others, cluster);
  cluster.signal(old, 'SIGCONT');
  expect(await valueAfter(old, cluster)).toBe('final');
});

test('P45 SIGSTOP: of a single node, a write whose HTTP caller hung up is not done when it goes on', async () => {
  cluster = await ServedProcesses.start(['n1']);
  const [host, port] = (cluster.addresses.n1 as string).split(':');
  await cluster.http('n1', 'PUT', '/v1/kv/k', 'before');
  cluster.signal('n1', 'SIGSTOP');
  const caller = connectTcp(Number(port), host);
  await new Promise<void>((resolve) =>
    caller.write('PUT /v1/kv/k?timeout=60000 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nghost', () =>
      resolve(),
    ),
  );
  caller.destroy();
  // Connections are taken in their order: once this one has its answer, the one before it was read.
  const later = cluster.http('n1', 'GET', '/v1/kv/k');
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  cluster.signal('n1', 'SIGCONT');
  await later.catch(() => undefined);
  await cluster.http('n1', 'PUT', '/v1/kv/other', 'x');
  expect((await cluster.http('n1', 'GET', '/v1/kv/k')).body).toBe('before');
});

test('SIGSTOP: a client that reaches the nodes by published ports only goes on through another node', async () => {
  cluster = await ServedProcesses.start(['n1', 'n2', 'n3']);
  const leader = await cluster.leader();
  const follower = cluster.ids.find((id) => id !== leader) as string;
  const addresses = cluster.endpoints();
  const followerFirst = [follower, ...cluster.ids.filter((id) => id !== follower)];
  doors = await Promise.all(cluster.endpoints(followerFirst).map((node) => OnlyDoor.before(node, addresses)));
  const client = await connect(doors.map(({ address }) => address));
  await answered(() => client.put('k', 'before'));
  cluster.signal(follower, 'SIGSTOP');
  // As soon as its door is open, it is the first that is asked.
  const isUnknown = (): Promise<boolean> =>
    client.put('k', 'unknown', { timeoutMs: 500 }).then(
      () => false,
      ({ code }: { code?: string }) => code === 'QUORATE_OUTCOME_UNKNOWN',
    );
  await until(isUnknown);
  await answered(() => client.put('k', 'after'));
  expect(new TextDecoder().decode((await answered(() => client.get('k')))?.value)).toBe('after');
  await client.close();
});
