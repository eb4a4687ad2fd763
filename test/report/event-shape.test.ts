import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { NodeStream } from '../../src/cli/node-stream.js';
import { eventFault } from '../../src/report/event-shape.js';
import type { EventStream } from '../../src/report/node-report.js';
import { report } from './heard-nodes.js';

const settings = {
  electionTimeoutMinMs: 150,
  electionTimeoutMaxMs: 300,
  heartbeatMs: 50,
  maxMissedHeartbeats: 3,
  priority: 10,
};
const hello = {
  version: 1,
  id: 'n1',
  clusterId: 'c',
  cluster: null,
  address: 'a:1',
  release: '0.1.0',
  startCommand: null,
} as const;

const VALID: EventStream = {
  hello: { ...hello, settings },
  report: report('n1', ['n1', 'n2'], {
    votes: { n1: true, n2: null },
    receiving: { from: 'n2', index: 9, bytes: 10, ofBytes: 30 },
    timer: { lengthMs: 200, restMs: 10 },
    notReady: { code: 'NO_LEADER', message: 'nobody leads' },
    log: { ...report('n1', []).log, terms: [{ startIndex: 1, term: 1 }] },
  }),
  metrics: {
    ...{ atMs: 1, putsPerSecond: 1, readsPerSecond: 1, putP50Ms: null, putP99Ms: 2, syncMs: null, eventLoopDelayMs: 0 },
    errors: { CONFLICT: 1 },
    behind: { n2: 3 },
  },
  history: { metrics: [] },
  news: {
    sequence: 1,
    atMs: 1,
    event: 'log.stalled',
    term: 1,
    tone: 'wait',
    text: 'n1 waits.',
    details: { peer: 'n2' },
  },
};
const NAMES = Object.keys(VALID) as (keyof EventStream)[];

type Tree = Record<string, unknown>;

/** Each place in a message that holds a value, as a path. */
function placesIn(value: unknown, path: readonly string[] = []): readonly (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [path];
  return [
    ...(path.length === 0 ? [] : [path]),
    ...Object.entries(value).flatMap(([name, one]) => placesIn(one, [...path, name])),
  ];
}

function withValue(message: unknown, path: readonly string[], value: unknown): unknown {
  const copy = structuredClone(message) as Tree;
  const holder = path.slice(0, -1).reduce((tree, name) => tree[name] as Tree, copy);
  if (value === undefined) delete holder[path.at(-1) ?? ''];
  else holder[path.at(-1) ?? ''] = value;
  return copy;
}

describe('the shape of events', () => {
  test.each(NAMES)('%s: what a node sends is right, also with more in it', (name) => {
    expect(eventFault(name, VALID[name])).toBeNull();
    expect(eventFault(name, { ...VALID[name], later: { more: 1 } })).toBeNull();
    expect([null, 7, 'text', [], {}].map((one) => eventFault(name, one)).every((fault) => fault !== null)).toBe(true);
  });

  test.each(NAMES)('%s: whatever is missing or of another kind is named', (name) => {
    for (const path of placesIn(VALID[name])) {
      // What `details` holds is the notice's own.
      if (path[0] === 'details' && path.length > 1) continue;
      const named = new RegExp(`^${path[0]}`);
      expect(eventFault(name, withValue(VALID[name], path, Symbol('strange')))).toMatch(named);
      const mayBeAbsent = /^(errors|votes|behind)$/.test(path[0] ?? '') && path.length > 1;
      // Earlier releases do not send it.
      if (path.join() === 'receiving') continue;
      const isOfAList = /^\d+$/.test(path.at(-1) ?? '');
      if (!mayBeAbsent && !isOfAList) expect(eventFault(name, withValue(VALID[name], path, undefined))).toMatch(named);
    }
  });

  test('times are such that a clock can show, and numbers are finite', () => {
    expect(eventFault('news', { ...VALID.news, atMs: 9e15 })).toBe('atMs: expected a time in milliseconds');
    expect(eventFault('news', { ...VALID.news, sequence: Number.POSITIVE_INFINITY })).toBe(
      'sequence: expected a number',
    );
  });
});

describe('a stream of another kind', () => {
  const ends: (() => void)[] = [];
  afterEach(() => {
    for (const end of ends.splice(0)) end();
  });

  /** Why the stream of a server that sends these messages is given up, and what was taken before. */
  async function readFrom(send: (response: ServerResponse) => void) {
    const server = createServer((_, response) => {
      response.writeHead(200);
      send(response);
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const taken: string[] = [];
    const reason = await new Promise<string>((resolve) => {
      const { port } = server.address() as AddressInfo;
      const stream = new NodeStream(() => ({ address: `127.0.0.1:${port}` }), {
        message: (name) => taken.push(name),
        lost: resolve,
      });
      ends.push(() => {
        stream.close();
        server.closeAllConnections();
        server.close();
      });
    });
    return { reason, taken };
  }

  const told = (name: string, data: unknown): string => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;

  test('of another version is told with both versions and what to use', async () => {
    const { reason, taken } = await readFrom((response) =>
      response.write(told('hello', { version: 2, release: '0.2.0', whoami: 'n1' })),
    );
    expect(reason).toBe(
      'it speaks version 2 of these events, and this program version 1: use the quorate of its release, 0.2.0',
    );
    expect(taken).toEqual([]);
  });

  test('whose events are not what they say is told with what is wrong in them', async () => {
    const { reason, taken } = await readFrom((response) => {
      response.write(told('later', { anything: 1 }));
      response.write(told('hello', VALID.hello));
      response.write(told('report', { ...VALID.report, atMs: 'noon' }));
    });
    expect(reason).toBe('it sends what is no report of version 1 (atMs: expected a time in milliseconds)');
    expect(taken).toEqual(['hello']);
  });

  test('that is no JSON at all is told, too', async () => {
    const { reason } = await readFrom((response) => response.write('event: hello\ndata: {"version"\n\n'));
    expect(reason).toBe('it sends what is none of these events');
  });
});
