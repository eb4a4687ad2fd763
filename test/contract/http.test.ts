import net from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { RealNodes, STEADY } from '../node/real-nodes.js';
import { found, until } from '../waiting/conditions.js';
import { ask, refusal } from './ask.js';

let nodes: RealNodes;
let leader: string;
let follower: string;

beforeAll(async () => {
  nodes = await RealNodes.start('abc', STEADY);
  leader = (await nodes.leader()).address;
  follower = (await nodes.followers())[0]?.address as string;
});
afterAll(() => nodes.close());

describe('PUT, GET and DELETE /v1/kv/{key}', () => {
  test('a write through one node is read through another, with revision, type and ETag', async () => {
    const { status, json } = await ask(follower, 'PUT', '/v1/kv/plain', { body: 'hello' });
    expect([status, json]).toEqual([200, { revision: expect.any(Number) }]);
    const read = await ask(leader, 'GET', '/v1/kv/plain');
    expect([read.status, read.bytes.toString()]).toEqual([200, 'hello']);
    expect(read.headers).toMatchObject({
      'content-type': 'application/octet-stream',
      'content-length': '5',
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
      etag: `"${json.revision}"`,
    });
  });

  test('any bytes and none come back as they were sent', async () => {
    const all = Uint8Array.from({ length: 256 }, (_, at) => at);
    await ask(leader, 'PUT', '/v1/kv/bytes', { body: all });
    expect((await ask(follower, 'GET', '/v1/kv/bytes')).bytes).toEqual(Buffer.from(all));
    await ask(leader, 'PUT', '/v1/kv/none', {});
    const empty = await ask(leader, 'GET', '/v1/kv/none');
    expect([empty.status, empty.bytes.length]).toEqual([200, 0]);
  });

  test('the revision grows by one with each change of the store, whatever the key', async () => {
    const revisions: number[] = [];
    for (const key of ['x', 'y', 'x']) {
      revisions.push((await ask(leader, 'PUT', `/v1/kv/${key}`, { body: 'v' })).json.revision as number);
    }
    const deletion = await ask(follower, 'DELETE', '/v1/kv/x');
    expect(deletion.json).toEqual({ revision: (revisions[2] ?? 0) + 1, deleted: true });
    expect(revisions.map((revision) => revision - (revisions[0] ?? 0))).toEqual([0, 1, 2]);
    expect((await ask(leader, 'DELETE', '/v1/kv/x')).json).toEqual({ deleted: false });
    const again = await ask(leader, 'PUT', '/v1/kv/x', { body: 'v' });
    expect(again.json.revision).toBe((revisions[2] ?? 0) + 2);
  });

  test('an absent key is 404, and says which', async () => {
    const answer = await ask(follower, 'GET', '/v1/kv/not%20there');
    expect(refusal(answer)).toEqual([404, 'NOT_FOUND']);
    expect(answer.json.error?.message).toMatch('not there');
  });

  test('keys are percent-decoded once, and never normalized', async () => {
    for (const [path, key] of [
      ['a/b/c', 'a/b/c'],
      ['a%2Fb%2Fc', 'a/b/c'],
      ['a/../b', 'a/../b'],
      ['a//b', 'a//b'],
      ['%2525', '%25'],
      ['%F0%9F%98%80', '😀'],
      ['__proto__', '__proto__'],
      ['a+b%20c%3Fd%23e', 'a+b c?d#e'],
    ] as const) {
      await ask(leader, 'PUT', `/v1/kv/${path}`, { body: path });
      const page = await ask(leader, 'GET', `/v1/kv?prefix=${encodeURIComponent(key)}&limit=1`);
      expect((page.json.items as { key: string }[])[0]?.key).toBe(key);
    }
  });

  test('a key has 1 to 4,096 bytes, to the byte', async () => {
    const longest = `${'k'.repeat(4_094)}é`;
    expect((await ask(leader, 'PUT', `/v1/kv/${encodeURIComponent(longest)}`, { body: 'v' })).status).toBe(200);
    const bad = ['', `k${encodeURIComponent(longest)}`, '%ff', '%zz', '%ED%A0%80'];
    for (const path of bad) {
      for (const method of ['PUT', 'GET', 'DELETE']) {
        expect(refusal(await ask(leader, method, `/v1/kv/${path}`))).toEqual([400, 'BAD_REQUEST']);
      }
    }
  });

  test('a misspelled parameter is refused, and the ones that exist are named', async () => {
    for (const [method, path, names] of [
      [
        'GET',
        '/v1/kv?prefx=a',
        'expected no parameter but prefix, limit, after, values, watch, consistency, timeout, got ?prefx=',
      ],
      ['GET', '/v1/kv/plain?consistensy=stale', 'but consistency, timeout, got ?consistensy='],
      ['PUT', '/v1/kv/plain?ttl=5', 'but timeout, got ?ttl='],
      ['DELETE', '/v1/kv/plain?revision=5', 'but timeout, got ?revision='],
      ['GET', '/v1/kv?limit=1&limit=2', 'more than once'],
    ] as const) {
      const { status, json } = await ask(leader, method, path);
      expect([status, json.error?.code, json.error?.message]).toEqual([
        400,
        'BAD_REQUEST',
        expect.stringContaining(names),
      ]);
    }
  });

  test('conditions: If-Match, If-None-Match: *, and 412 with what is there', async () => {
    const absent = { 'If-None-Match': '*' };
    const first = await ask(follower, 'PUT', '/v1/kv/cas', { body: '1', headers: absent });
    const revision = first.json.revision as number;
    const match = { 'If-Match': `"${revision}"` };
    const conflict = await ask(follower, 'PUT', '/v1/kv/cas', { body: '2', headers: absent });
    expect([...refusal(conflict), conflict.json]).toEqual([
      412,
      'CONFLICT',
      { error: { code: 'CONFLICT', message: expect.any(String), revision } },
    ]);
    expect((await ask(leader, 'PUT', '/v1/kv/cas', { body: '2', headers: match })).status).toBe(200);
    expect(refusal(await ask(leader, 'DELETE', '/v1/kv/cas', { headers: match }))).toEqual([412, 'CONFLICT']);
    const gone = await ask(leader, 'PUT', '/v1/kv/never', { body: '', headers: { 'If-Match': '"1"' } });
    expect(gone.json.error).toMatchObject({ code: 'CONFLICT', revision: null });
    expect((await ask(leader, 'GET', '/v1/kv/cas')).bytes.toString()).toBe('2');
  });

  test.each<[Record<string, string>]>([
    [{ 'If-Match': '*' }],
    [{ 'If-Match': '5' }],
    [{ 'If-Match': 'W/"5"' }],
    [{ 'If-Match': '"x"' }],
    [{ 'If-Match': '"1", "2"' }],
    [{ 'If-None-Match': '"1"' }],
    [{ 'If-Match': '"1"', 'If-None-Match': '*' }],
  ])('%j is no condition: 400', async (headers) => {
    for (const method of ['PUT', 'DELETE']) {
      expect(refusal(await ask(leader, method, '/v1/kv/k', { headers }))).toEqual([400, 'BAD_REQUEST']);
    }
  });
});

describe('If-None-Match on GET', () => {
  test('a revision that the caller has already is 304, without the bytes', async () => {
    const { json } = await ask(leader, 'PUT', '/v1/kv/cached', { body: 'value' });
    const tag = `"${json.revision}"`;
    for (const known of [tag, `W/${tag}`, `"0", ${tag}`, '*']) {
      for (const method of ['GET', 'HEAD']) {
        const answer = await ask(leader, method, '/v1/kv/cached', { headers: { 'If-None-Match': known } });
        expect([answer.status, answer.headers.etag, answer.bytes.length]).toEqual([304, tag, 0]);
      }
    }
    const other = await ask(leader, 'GET', '/v1/kv/cached', { headers: { 'If-None-Match': '"0"' } });
    expect([other.status, other.bytes.toString()]).toEqual([200, 'value']);
    const absent = await ask(leader, 'GET', '/v1/kv/not-cached', { headers: { 'If-None-Match': '*' } });
    expect(absent.status).toBe(404);
  });
});

describe('GET /v1/kv', () => {
  test('a limit over the most that a page has is answered with such a page', async () => {
    for (const limit of ['10001', '4294967297'])
      expect((await ask(leader, 'GET', `/v1/kv?prefix=p/&limit=${limit}`)).status).toBe(200);
  });

  test('lists by prefix in byte order, page by page', async () => {
    const keys = ['p/ \u{1f600}', 'p/ \uff5e', 'p/ é', 'p/ z', 'p/ A'];
    for (const key of keys) await ask(leader, 'PUT', `/v1/kv/${encodeURIComponent(key)}`, { body: key });
    await ask(leader, 'PUT', '/v1/kv/q', { body: '' });
    const seen: string[] = [];
    for (let after: string | null = ''; after !== null; ) {
      const query: URLSearchParams = new URLSearchParams({ prefix: 'p/', limit: '2', after });
      const { json } = await ask(follower, 'GET', `/v1/kv?${query}`);
      for (const { key, value } of json.items as { key: string; value: string }[]) {
        expect(Buffer.from(value, 'base64').toString()).toBe(key);
        seen.push(key);
      }
      after = json.next as string | null;
    }
    expect(seen).toEqual(keys.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))));
  });

  test('a list has the revision of each key and of the store', async () => {
    const { revision: first } = (await ask(leader, 'PUT', '/v1/kv/rev/a', { body: '' })).json as { revision: number };
    await ask(leader, 'PUT', '/v1/kv/rev/b', { body: '' });
    await ask(leader, 'PUT', '/v1/kv/elsewhere', { body: '' });
    const { json } = await ask(follower, 'GET', '/v1/kv?prefix=rev/');
    const { json: names } = await ask(follower, 'GET', '/v1/kv?prefix=rev/&values=false');
    const items = ['a', 'b'].map((name, at) => ({ key: `rev/${name}`, revision: first + at }));
    expect(names.items).toEqual(items);
    expect(json).toMatchObject({ revision: first + 2, items });
  });

  test.each([
    'values=no',
    'limit=0',
    'limit=x',
    'limit=-1',
    'limit=',
    'timeout=0',
    'timeout=60001',
    'consistency=strong',
    'prefix=%ff',
    'after=%',
  ])('?%s is refused', async (query) => {
    expect(refusal(await ask(leader, 'GET', `/v1/kv?${query}`))).toEqual([400, 'BAD_REQUEST']);
  });
});

describe('status and health', () => {
  test('every node tells who it is, and only the leader what it knows of the others', async () => {
    const { json } = await ask(follower, 'GET', '/v1/status');
    expect(Object.keys(json)).toEqual([
      'id',
      'clusterId',
      'version',
      'role',
      'priority',
      'term',
      'leaderId',
      'commitIndex',
      'lastApplied',
      'agreedIndex',
      'firstLogIndex',
      'lastLogIndex',
      'snapshot',
      'receiving',
      'state',
      'members',
    ]);
    expect(json).toMatchObject({ role: 'follower', clusterId: expect.stringMatching(/^[0-9a-f]{16}$/) });
    const members = json.members as { id: string; status: unknown; matchIndex: unknown }[];
    expect(members.map(({ id }) => id)).toEqual(['a', 'b', 'c']);
    for (const member of members) expect([member.status, member.matchIndex]).toEqual([null, null]);
    const led = await found(async () => {
      const { json } = await ask(leader, 'GET', '/v1/status');
      return (json.members as typeof members).every(({ status }) => status === 'up') ? json : undefined;
    });
    expect(led).toMatchObject({ role: 'leader', leaderId: led.id, state: { active: { leader: 'serving' } } });
    for (const member of led.members as typeof members) {
      expect(member).toMatchObject({ status: 'up', voter: true, matchIndex: expect.any(Number) });
    }
  });

  test('live and ready', async () => {
    for (const path of ['/health/live', '/health/ready']) expect((await ask(follower, 'GET', path)).status).toBe(200);
    expect((await ask(leader, 'HEAD', '/health/ready')).bytes.length).toBe(0);
  });
});

describe('without a majority', () => {
  test('a write waits within its timeout and then says that nothing was done; a stale read is answered', async () => {
    // The first leads until it is closed; that the others are gone it learns as quickly as ever.
    const alone = await RealNodes.start('xyz', { ...STEADY, MAX_MISSED_HEARTBEATS: 3 });
    try {
      const { address } = await alone.leader();
      await ask(address, 'PUT', '/v1/kv/k', { body: 'before' });
      for (const other of await alone.followers()) await other.close();
      await until(async () => {
        const [status, code] = refusal(await ask(address, 'GET', '/v1/kv/k?timeout=300'));
        expect(status).toBe(503);
        return code === 'NO_QUORUM';
      });
      expect((await ask(address, 'GET', '/v1/kv/k?consistency=stale')).bytes.toString()).toBe('before');
      expect(refusal(await ask(address, 'GET', '/health/ready'))).toEqual([503, 'NO_QUORUM']);
      expect((await ask(address, 'GET', '/health/live')).status).toBe(200);
      const written = await ask(address, 'PUT', '/v1/kv/k?timeout=300', { body: 'after' });
      // A node that still led has appended it, and cannot know; one that does not lead any more has done nothing.
      expect([
        [503, 'NO_QUORUM'],
        [504, 'OUTCOME_UNKNOWN'],
      ]).toContainEqual(refusal(written));
    } finally {
      await alone.close();
    }
  });
});

describe('what is no request', () => {
  const exchange = async (text: string): Promise<readonly [string | undefined, unknown]> => {
    const [host, port] = leader.split(':');
    const socket = net.connect(Number(port), host);
    socket.write(text);
    let answer = '';
    for await (const chunk of socket) answer += String(chunk);
    const [head = '', body = ''] = answer.split('\r\n\r\n');
    return [head.split('\r\n')[0], JSON.parse(body)];
  };

  test.each([
    ['hello\r\n\r\n', '400 Bad Request', 'that is no HTTP/1.1 request: Invalid method encountered'],
    ['GET /v1/status HTTP/9\r\n\r\n', '400 Bad Request', 'that is no HTTP/1.1 request: Expected dot'],
    [`GET /v1/kv/${'k'.repeat(40_000)} HTTP/1.1\r\n\r\n`, '431 Request Header Fields Too Large', 'too long'],
  ])('%p is answered in the form of all refusals', async (text, status, words) => {
    const [first, document] = await exchange(text);
    expect(first).toBe(`HTTP/1.1 ${status}`);
    expect(document).toEqual({ error: { code: 'BAD_REQUEST', message: expect.stringContaining(words) } });
  });
});

describe('a request that offers to go on in HTTP/2, as curl and Java do unasked', () => {
  const headers = {
    Connection: 'Upgrade, HTTP2-Settings',
    Upgrade: 'h2c',
    'HTTP2-Settings': 'AAMAAABkAAQCAAAAAAIAAAAA',
  };

  test('is answered as if it had not, with its body and its conditions', async () => {
    const body = Buffer.alloc(300_000, 'x');
    expect((await ask(leader, 'PUT', '/v1/kv/h2c', { body, headers })).status).toBe(200);
    const again = await ask(leader, 'PUT', '/v1/kv/h2c', { body, headers: { ...headers, 'If-None-Match': '*' } });
    expect(refusal(again)).toEqual([412, 'CONFLICT']);
    // A matcher that looks at each byte would stand still for seconds on a busy machine, which nodes take for a pause.
    expect((await ask(leader, 'GET', '/v1/kv/h2c', { headers })).bytes.equals(body)).toBe(true);
  });

  test('is not let in where it would not be without', async () => {
    const evil = { ...headers, Host: 'evil.example' };
    expect(refusal(await ask(leader, 'GET', '/v1/kv/h2c', { headers: evil }))).toEqual([403, 'FORBIDDEN']);
  });
});

test('two of the longest keys fit in one request for a list', async () => {
  const longest = encodeURIComponent('é'.repeat(2_048));
  const { status, json } = await ask(leader, 'GET', `/v1/kv?prefix=${longest}&after=${longest}`);
  expect([status, json]).toEqual([200, expect.objectContaining({ items: [] })]);
});

describe('a page in a browser', () => {
  test.each([
    [{ Host: 'evil.example' }],
    [{ Host: 'localhost.evil.example:7401' }],
    [{ Origin: 'http://evil.example' }],
    [{ Origin: 'null' }],
    [{ Origin: 'http://127.0.0.1:3000' }],
    [{ Origin: 'https://localhost' }],
  ])('with %j gets nothing and changes nothing', async (headers) => {
    for (const method of ['PUT', 'DELETE', 'GET']) {
      expect(refusal(await ask(leader, method, '/v1/kv/csrf', { headers }))).toEqual([403, 'FORBIDDEN']);
    }
    expect((await ask(leader, 'GET', '/v1/kv/csrf')).status).toBe(404);
  });

  test('of the node itself, localhost and addresses of the cluster may', async () => {
    for (const headers of [
      { Origin: `http://${leader}` },
      { Host: 'localhost:1' },
      { Host: follower },
      { Host: '[::1]:7401' },
    ]) {
      expect((await ask(leader, 'GET', '/v1/status', { headers })).status).toBe(200);
    }
  });
});

test('a request that waits when its node is closed is answered, and not cut off', async () => {
  const lone = await RealNodes.start('xyz', STEADY);
  const node = await lone.leader();
  for (const other of await lone.followers()) await other.close();
  const read = ask(node.address, 'GET', '/v1/kv/k');
  // Connections are taken in order: when a later one was answered, the read has come.
  await ask(node.address, 'GET', '/v1/status');
  const closing = node.close();
  expect(refusal(await read)[0]).toBe(503);
  await closing;
  await lone.close();
});

describe('what is not here', () => {
  test.each([
    ['GET', '/v1/members'],
    ['POST', '/v1/members'],
    ['POST', '/v1/transfer'],
    ['GET', '/playground'],
    ['GET', '/v1/kv?watch=true'],
  ])('%s %s: 501, not in this version', async (method, path) => {
    const answer = await ask(leader, method, path);
    expect(refusal(answer)).toEqual([501, 'NOT_IN_THIS_VERSION']);
    expect(answer.json.error?.message).toMatch('not in this version');
  });

  test('Idempotency-Key: 501, and nothing is written', async () => {
    const headers = { 'Idempotency-Key': 'x' };
    expect((await ask(leader, 'PUT', '/v1/kv/idem', { body: 'v', headers })).status).toBe(501);
    expect((await ask(leader, 'GET', '/v1/kv/idem')).status).toBe(404);
  });

  test('a path that is misspelled is 404, a method that is not possible 405 with those that are', async () => {
    expect(refusal(await ask(leader, 'GET', '/v1/kw/k'))).toEqual([404, 'NOT_FOUND']);
    const answer = await ask(leader, 'POST', '/v1/kv/k');
    expect([answer.status, answer.headers.allow]).toEqual([405, 'GET, PUT, DELETE']);
  });
});
