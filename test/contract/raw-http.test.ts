import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { ask } from './ask.js';
import { type RawAnswer, RawConnection, ServedProcesses } from './served-process.js';

let processes: ServedProcesses;
let address: string;
let connections: RawConnection[] = [];
let keys = 0;
let key: string;

beforeAll(async () => {
  processes = await ServedProcesses.start('a');
  address = processes.address('a');
});
afterAll(() => processes.close());
afterEach(() => {
  for (const connection of connections) connection.close();
  connections = [];
});

const open = (to = address): RawConnection => {
  const connection = new RawConnection(to);
  connections.push(connection);
  return connection;
};

beforeEach(() => {
  keys += 1;
  key = `key-${keys}`;
});

const request = (method: string, target: string, headers: readonly string[] = [], body = '', version = '1.1'): string =>
  `${[`${method} ${target} HTTP/${version}`, 'Host: localhost', ...headers].join('\r\n')}\r\n\r\n${body}`;

const put = (body: string, headers: readonly string[] = []): string =>
  request('PUT', `/v1/kv/${key}`, [`Content-Length: ${body.length}`, ...headers], body);

const get = (): string => request('GET', `/v1/kv/${key}?consistency=stale`);

/** What is stored under the test's key; undefined for nothing. */
async function stored(): Promise<string | undefined> {
  const { status, bytes } = await ask(address, 'GET', `/v1/kv/${key}`);
  return status === 404 ? undefined : bytes.toString();
}

const statuses = (answers: readonly { readonly status: number }[]): readonly number[] =>
  answers.map(({ status }) => status);

describe('P44 an answer out of band never takes the place of one that is under way', () => {
  test.each([[[]], [['Connection: close']]])(
    'a body with more bytes than it said (%j): the write is answered as done',
    async (headers) => {
      const connection = open().send(
        request('PUT', `/v1/kv/${key}`, ['Content-Length: 11', ...headers], 'hello world!!'),
      );
      expect(statuses(await connection.ended())).toEqual([200]);
      expect(connection.answers()[0]?.head).toMatch(/^Connection: close$/im);
      expect(await stored()).toBe('hello world');
    },
  );

  test.each([
    ['no request', 'nonsense\r\n\r\n'],
    ['headers that are too long', `GET /${'k'.repeat(40_000)} HTTP/1.1\r\n\r\n`],
    ['two lengths', request('PUT', '/v1/kv/two', ['Content-Length: 1', 'Content-Length: 2'])],
  ])('behind a write comes %s: the write is answered, then the connection ends', async (_, text) => {
    const connection = open().send(put('value'), text);
    expect(statuses(await connection.ended())).toEqual([200]);
    expect(await stored()).toBe('value');
  });

  test('a body that breaks off is refused itself, in its turn, and nothing of it is stored', async () => {
    const broken = request('PUT', '/v1/kv/broken', ['Transfer-Encoding: chunked'], '5\r\nhello\r\nno size\r\n');
    const connection = open().send(put('value'), broken);
    const answers = await connection.ended();
    expect(statuses(answers)).toEqual([200, 400]);
    expect(JSON.parse(answers[1]?.body ?? '')).toMatchObject({ error: { code: 'BAD_REQUEST' } });
    expect((await ask(address, 'GET', '/v1/kv/broken')).status).toBe(404);
  });

  test('one that is refused before its body breaks off is answered once', async () => {
    const broken = request('PUT', '/v1/kv/%ff', ['Transfer-Encoding: chunked'], '5\r\nhello\r\nno size\r\n');
    expect(statuses(await open().send(broken).ended())).toEqual([400]);
  });

  describe('where nobody leads', () => {
    let alone: ServedProcesses;

    beforeAll(async () => {
      alone = await ServedProcesses.startSome('ab', 'a');
    });
    afterAll(() => alone.close());

    test('a write that waits is answered for itself, though what follows is nonsense or never comes to an end', async () => {
      const write = (timeout: number): string =>
        request('PUT', `/v1/kv/${key}?timeout=${timeout}`, ['Content-Length: 1'], 'v');
      const nonsense = open(alone.address('a')).send(write(500), 'nonsense\r\n\r\n');
      // Node gives up on headers after three seconds.
      const unfinished = open(alone.address('a')).send(write(6_000), 'GET /v1/status HTTP/1.1\r\n');
      for (const connection of [nonsense, unfinished]) {
        const answers = await connection.ended();
        expect(statuses(answers)).toEqual([503]);
        expect(answers[0]?.body).toMatch(/NO_QUORUM|NO_LEADER/);
      }
    });

    test('a write that still waits long after its client ended its half of the connection is dropped, and says so', async () => {
      const write = request('PUT', `/v1/kv/${key}?timeout=60000`, ['Content-Length: 1'], 'v');
      const answers = await open(alone.address('a')).send(write).halfClose().ended();
      expect(statuses(answers)).toEqual([503]);
      expect(answers[0]?.body).toContain('ABORTED');
    });

    test('a request that never comes to an end is answered with 408', async () => {
      const answers = await open(alone.address('a')).send('GET /v1/status HTTP/1.1\r\n').ended();
      expect(statuses(answers)).toEqual([408]);
    });
  });
});

describe('a body must say where it ends', () => {
  test.each([
    ['PUT', '1.0', [], 411],
    ['PUT', '1.1', [], 411],
    ['POST', '1.1', [], 411],
    ['PUT', '1.0', ['Transfer-Encoding: chunked'], 400],
    ['PUT', '1.1', ['Transfer-Encoding: gzip, chunked'], 501],
    ['PUT', '1.1', ['Transfer-Encoding: gzip'], 400],
    ['PUT', '1.1', ['Transfer-Encoding: chunked', 'Content-Length: 5'], 400],
    ['PUT', '1.1', ['Content-Length: 5, 5'], 400],
    ['PUT', '1.1', ['Content-Length: -5'], 400],
    ['PUT', '1.1', ['Content-Length: 0x5'], 400],
  ])('%s of HTTP/%s with %j is answered with %s once, and stores nothing', async (method, version, headers, status) => {
    const connection = open().send(request(method, `/v1/kv/${key}`, headers, 'hello', version));
    const answers = await connection.ended();
    expect(statuses(answers)).toEqual([status]);
    expect(JSON.parse(answers[0]?.body ?? '')).toMatchObject({ error: { code: expect.any(String) } });
    expect(await stored()).toBeUndefined();
  });

  test('chunks say it, and trailers do no harm', async () => {
    const body = '5;a=b\r\nhello\r\n1\r\n!\r\n0\r\nIf-None-Match: *\r\n\r\n';
    const connection = open().send(request('PUT', `/v1/kv/${key}`, ['Transfer-Encoding: chunked'], body));
    expect(statuses(await connection.answered(1))).toEqual([200]);
    expect(await stored()).toBe('hello!');
  });

  test('HTTP/1.0 with a length is served, and its connection ends with the answer', async () => {
    const answers = await open()
      .send(request('PUT', `/v1/kv/${key}`, ['Content-Length: 5'], 'hello', '1.0'))
      .ended();
    expect(statuses(answers)).toEqual([200]);
    expect(await stored()).toBe('hello');
    const alive = ['Connection: keep-alive'];
    const connection = open();
    for (const count of [1, 2]) {
      connection.send(request('GET', `/v1/kv/${key}`, alive, '', '1.0'));
      expect((await connection.answered(count))[count - 1]?.body).toBe('hello');
    }
  });

  test('an Expect that nobody knows is refused with a reason', async () => {
    const answers = await open()
      .send(put('value', ['Expect: the unexpected']))
      .answered(1);
    expect(statuses(answers)).toEqual([417]);
    expect(JSON.parse(answers[0]?.body ?? '')).toMatchObject({
      error: { message: expect.stringContaining('the unexpected') },
    });
    expect(await stored()).toBeUndefined();
  });
});

describe('a client that ends its half after sending', () => {
  test('has its answers', async () => {
    const answers = await open()
      .send(put('value'), request('GET', `/v1/kv/${key}`))
      .halfClose()
      .ended();
    expect(statuses(answers)).toEqual([200, 200]);
    expect(answers[1]?.body).toBe('value');
  });

  test('is told that its body was cut short, and nothing is stored', async () => {
    const cut = request('PUT', `/v1/kv/${key}`, ['Content-Length: 11'], 'hello');
    expect(statuses(await open().send(cut).halfClose().ended())).toEqual([400]);
    expect(await stored()).toBeUndefined();
  });
});

test('RFC 9112 §3.2.2: absolute targets are served', async () => {
  const target = `http://${address}/v1/kv/${key}`;
  const connection = open().send(
    request('PUT', target, ['Content-Length: 1'], 'v'),
    request('GET', `${target}?timeout=999`),
  );
  const answers = await connection.answered(2);
  expect([statuses(answers), answers[1]?.body]).toEqual([[200, 200], 'v']);
});

describe('RFC 9112 §9.3.2: what is pipelined', () => {
  test('behind writes sees them, and before them does not', async () => {
    const remove = request('DELETE', `/v1/kv/${key}`);
    const connection = open().send(get(), put('one'), put('two'), get(), get(), remove, get(), put('three'), get());
    const answers = await connection.answered(9);
    expect(statuses(answers)).toEqual([404, 200, 200, 200, 200, 200, 404, 200, 200]);
    expect([3, 4, 8].map((at) => answers[at]?.body)).toEqual(['two', 'two', 'three']);
  });

  test.each([
    ['h2c', 200],
    ['websocket', 101],
  ])('an upgrade to %s behind a write is answered after it', async (protocol, status) => {
    const headers = [
      'Connection: Upgrade',
      `Upgrade: ${protocol}`,
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
      'Sec-WebSocket-Protocol: quorate.client.1',
    ];
    const target = protocol === 'h2c' ? `/v1/kv/${key}?consistency=stale` : '/client';
    const answers = await open()
      .send(put('value'), request('GET', target, headers))
      .answered(2);
    expect(statuses(answers)).toEqual([200, status]);
    if (protocol === 'h2c') expect(answers[1]?.body).toBe('value');
  });
});

describe('what asks to become something else than HTTP is refused in the form of all errors', () => {
  const refusal = async (
    text: string,
  ): Promise<{ status: number; head: string; error: { code: string; message: string } }> => {
    const [answer] = await open().send(text).ended();
    expect(answer?.head).toMatch(/^Content-Type: application\/json$/im);
    const { status, head, body } = answer as RawAnswer;
    return { status, head, ...(JSON.parse(body) as { error: { code: string; message: string } }) };
  };
  const handshake = (path: string, headers: readonly string[], method = 'GET'): string =>
    request(method, path, ['Connection: Upgrade', 'Upgrade: websocket', ...headers]);
  const spoken = { '/client': 'quorate.client.1', '/peer': 'quorate.peer.1' } as const;
  const toOthers = {
    '/client': 'only quorate.client.2 and quorate.client.1 are spoken here',
    '/peer': 'peers speak only quorate.peer.1 and quorate.snapshot.1 here',
  } as const;
  const key = 'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==';

  test.each(['/client', '/peer'] as const)('handshakes at %s that are none', async (path) => {
    const protocol = `Sec-WebSocket-Protocol: ${spoken[path]}`;
    const wrongVersion = await refusal(handshake(path, [protocol, key, 'Sec-WebSocket-Version: 7']));
    expect(wrongVersion).toMatchObject({
      status: 400,
      head: expect.stringMatching(/^Sec-WebSocket-Version: 13$/im),
      error: { code: 'BAD_REQUEST', message: expect.stringMatching(/^that is no WebSocket handshake .*Version/) },
    });
    const noKey = await refusal(handshake(path, [protocol, 'Sec-WebSocket-Version: 13']));
    expect(noKey).toMatchObject({ status: 400, error: { message: expect.stringMatching(/Sec-WebSocket-Key/) } });
    const noGet = await refusal(handshake(path, [protocol, key, 'Sec-WebSocket-Version: 13'], 'DELETE'));
    expect(noGet).toMatchObject({ status: 405, head: expect.stringMatching(/^Allow: GET$/im) });
    const noProtocol = await refusal(handshake(path, [key, 'Sec-WebSocket-Version: 13']));
    expect(noProtocol).toMatchObject({
      status: 400,
      error: { code: 'BAD_REQUEST', message: expect.stringMatching(`^${toOthers[path]}`) },
    });
  });

  test('a WebSocket elsewhere, and one of a foreign page', async () => {
    const whole = [key, 'Sec-WebSocket-Version: 13'];
    expect(await refusal(handshake('/chat', whole))).toMatchObject({ status: 404, error: { code: 'NOT_FOUND' } });
    const foreign = handshake('/client', [...whole, 'Origin: http://elsewhere.example']);
    expect(await refusal(foreign)).toMatchObject({ status: 403, error: { code: 'FORBIDDEN' } });
  });

  test('CONNECT, after the answers that are under way', async () => {
    const connect = 'CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n';
    expect(await refusal(connect)).toMatchObject({
      status: 405,
      error: { code: 'BAD_REQUEST', message: 'CONNECT is not possible here: a node is no proxy' },
    });
    expect(statuses(await open().send(put('a'), connect).ended())).toEqual([200, 405]);
  });
});
