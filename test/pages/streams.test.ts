import { beforeEach, describe, expect, test } from '@jest/globals';
import { ClusterModel } from '../../src/pages/dashboard/model/cluster-model.js';
import type { Source } from '../../src/pages/dashboard/streams.js';
import { Streams } from '../../src/pages/dashboard/streams.js';
import type { EventStream, StreamHello } from '../../src/report/node-report.js';
import { FakeRaft } from './fake-raft.js';
import { reportOf, SETTINGS } from './fake-reports.js';

class FakeSource implements Source {
  readonly #listeners = new Map<string, ((event: { readonly data?: string }) => void)[]>();
  readyState = 1;
  isClosed = false;

  constructor(readonly url: string) {}

  addEventListener(name: string, listener: (event: { readonly data?: string }) => void): void {
    this.#listeners.set(name, [...(this.#listeners.get(name) ?? []), listener]);
  }

  close(): void {
    this.isClosed = true;
  }

  tell<Name extends keyof EventStream>(name: Name, message: EventStream[Name]): void {
    for (const listener of this.#listeners.get(name) ?? []) listener({ data: JSON.stringify(message) });
  }

  fail(readyState: number): void {
    this.readyState = readyState;
    for (const listener of this.#listeners.get('error') ?? []) listener({});
  }
}

const CONNECTING = 0;
const CLOSED = 2;
const raft = new FakeRaft(['n1', 'n2', 'n3'], { putsPerSecond: 100, lagMs: [10] }, [{ startIndex: 1, term: 1 }]);

let nowMs: number;
let sources: FakeSource[];
let timers: { readonly atMs: number; readonly run: () => void }[];
let model: ClusterModel;
let streams: Streams;
let isHeardByOthers: boolean | null;

beforeEach(() => {
  nowMs = 1_800_000_000_000;
  sources = [];
  timers = [];
  isHeardByOthers = null;
  model = new ClusterModel(nowMs);
  streams = new Streams({
    model,
    ownUrl: 'http://own/v1/events',
    urlOf: (address) => `http://${address}/v1/events`,
    open,
    openThroughOwn: (id) => open(`http://own/v1/events?node=${id}`),
    askReason: async () => '403: not from this page',
    now: () => nowMs,
    later: (ms, run) => timers.push({ atMs: nowMs + ms, run }),
    isHeardByOthers: () => isHeardByOthers,
    changed: () => undefined,
  });
  streams.start();
});

function open(url: string): FakeSource {
  const source = new FakeSource(url);
  sources.push(source);
  return source;
}

function pass(ms: number): void {
  const untilMs = nowMs + ms;
  for (;;) {
    const [next] = timers.filter(({ atMs }) => atMs <= untilMs).sort((one, other) => one.atMs - other.atMs);
    if (next === undefined) break;
    timers = timers.filter((timer) => timer !== next);
    nowMs = next.atMs;
    next.run();
  }
  nowMs = untilMs;
}

const hello = (id: string, clusterId = 'c'): StreamHello => ({
  version: 1,
  id,
  clusterId,
  cluster: null,
  address: `${id}:1`,
  release: '0.1.0',
  startCommand: null,
  settings: SETTINGS,
});

const report = (id: string) => reportOf(raft, raft.node(id), { atMs: nowMs, addressOf: (of) => `${of}:1`, rate: 100 });
const newest = (url: string): FakeSource => {
  const source = sources.findLast((one) => one.url === url);
  if (source === undefined) throw new Error(`expected ${url} to have been dialed`);
  return source;
};
const dials = (url: string): number => sources.filter((one) => one.url === url).length;

function connect(): void {
  newest('http://own/v1/events').tell('hello', hello('n1'));
  newest('http://own/v1/events').tell('report', report('n1'));
  for (const id of ['n2', 'n3']) {
    newest(`http://${id}:1/v1/events`).tell('hello', hello(id));
    newest(`http://${id}:1/v1/events`).tell('report', report(id));
  }
}

describe("the page's streams", () => {
  test('a node of another version, or of other events, does not answer, and the page says why', () => {
    newest('http://own/v1/events').tell('hello', { ...hello('n1'), version: 2 as never });
    expect(streams.refusal).toBe('it speaks version 2 of these events, this page version 1');
    pass(300);
    connect();
    expect(streams.refusal).toBeNull();
    const other = newest('http://n2:1/v1/events');
    other.tell('report', { ...report('n2'), log: undefined as never });
    other.tell('report', report('n2'));
    const { nodes } = model.view(nowMs);
    expect(nodes[1]).toMatchObject({
      isAnswering: false,
      lastReason: 'it sends what is no report of version 1 (log: expected an object)',
    });
  });

  test('a member whose address this browser does not reach is heard through the own node', () => {
    newest('http://own/v1/events').tell('hello', hello('n1'));
    newest('http://own/v1/events').tell('report', report('n1'));
    newest('http://n2:1/v1/events').tell('hello', hello('n2'));
    newest('http://n3:1/v1/events').fail(CONNECTING);
    pass(250);
    newest('http://own/v1/events?node=n3').tell('hello', hello('n3'));
    newest('http://own/v1/events?node=n3').tell('report', report('n3'));
    const through = (): readonly unknown[] =>
      model.view(nowMs).nodes.map(({ id, isAnswering, isThroughOwn }) => [id, isAnswering, isThroughOwn]);
    expect(through()).toEqual([
      ['n1', true, false],
      ['n2', true, false],
      ['n3', true, true],
    ]);
    newest('http://own/v1/events?node=n3').fail(CONNECTING);
    pass(250);
    expect(dials('http://own/v1/events?node=n3')).toBe(2);
    newest('http://own/v1/events?node=n3').fail(CONNECTING);
    pass(500);
    newest('http://n3:1/v1/events').tell('hello', hello('n3'));
    newest('http://n3:1/v1/events').tell('report', report('n3'));
    expect(through().at(-1)).toEqual(['n3', true, false]);
  });

  test('a browser that waits for an address in vain is not waited for', () => {
    newest('http://own/v1/events').tell('hello', hello('n1'));
    newest('http://own/v1/events').tell('report', report('n1'));
    pass(4_000);
    expect(newest('http://n2:1/v1/events').isClosed).toBe(true);
    expect(dials('http://own/v1/events?node=n2')).toBe(1);
    expect(dials('http://own/v1/events')).toBe(1);
  });

  test('nobody is asked for a member that this browser has reached itself', () => {
    connect();
    newest('http://n2:1/v1/events').fail(CONNECTING);
    pass(1_000);
    expect([dials('http://own/v1/events?node=n2'), dials('http://n2:1/v1/events')]).toEqual([0, 2]);
  });

  test('its own origin first, then every member that a report names, each once', () => {
    expect(sources.map(({ url }) => url)).toEqual(['http://own/v1/events']);
    connect();
    expect(sources.map(({ url }) => url)).toEqual([
      'http://own/v1/events',
      'http://n2:1/v1/events',
      'http://n3:1/v1/events',
    ]);
    expect(model.view(nowMs)).toMatchObject({ answering: 3, leader: { id: 'n1' } });
  });

  test('one that falls silent without an end is dialed anew; a page that stood still itself blames nobody', () => {
    connect();
    const stand = (count: number, stepMs: number): void => {
      for (let at = 0; at < count; at += 1) {
        pass(stepMs);
        newest('http://own/v1/events').tell('report', report('n1'));
        newest('http://n3:1/v1/events').tell('report', report('n3'));
        streams.look();
      }
    };
    streams.look();
    stand(1, 3_600_000);
    expect(dials('http://n2:1/v1/events')).toBe(1);
    stand(60, 100);
    expect(dials('http://n2:1/v1/events')).toBe(2);
    expect([dials('http://own/v1/events'), dials('http://n3:1/v1/events')]).toEqual([1, 1]);
  });

  test('a page that nobody looks at holds no connection, and has all of them again when somebody does', () => {
    connect();
    streams.pause();
    expect(sources.every(({ isClosed }) => isClosed)).toBe(true);
    pass(60_000);
    expect(sources).toHaveLength(3);
    streams.resume();
    connect();
    expect(sources).toHaveLength(6);
    expect(model.view(nowMs)).toMatchObject({ answering: 3, leader: { id: 'n1' } });
  });

  test('a lost one is dialed again, at growing distances of two seconds at most', () => {
    connect();
    for (let attempt = 0; attempt < 6; attempt += 1) {
      newest('http://n2:1/v1/events').fail(CONNECTING);
      pass(2_000);
    }
    expect(dials('http://n2:1/v1/events')).toBe(7);
    expect(model.view(nowMs).nodes[1]).toMatchObject({ isAnswering: false, isDown: true });
    newest('http://n2:1/v1/events').tell('hello', hello('n2'));
    expect(model.view(nowMs).nodes[1]?.isAnswering).toBe(true);
  });

  test('whom no other node reaches either is left alone, until one reaches it again or a while has passed', () => {
    connect();
    isHeardByOthers = false;
    newest('http://n2:1/v1/events').fail(CONNECTING);
    pass(10_000);
    expect(dials('http://n2:1/v1/events')).toBe(1);
    isHeardByOthers = true;
    pass(300);
    expect(dials('http://n2:1/v1/events')).toBe(2);
    isHeardByOthers = false;
    newest('http://n2:1/v1/events').fail(CONNECTING);
    pass(16_000);
    expect(dials('http://n2:1/v1/events')).toBe(3);
  });

  test('a node that refuses says why', async () => {
    newest('http://own/v1/events').fail(CLOSED);
    await Promise.resolve();
    expect(streams.refusal).toBe('403: not from this page');
    pass(300);
    newest('http://own/v1/events').tell('hello', hello('n1'));
    expect(streams.refusal).toBeNull();
  });

  test.each([
    ['another node', hello('n9'), 'n9 answers at its address'],
    ['a node of another cluster', hello('n2', 'other'), 'a node of another cluster answers at its address'],
  ])('%s at a member’s address is not listened to', (_, greeting, reason) => {
    newest('http://own/v1/events').tell('hello', hello('n1'));
    newest('http://own/v1/events').tell('report', report('n1'));
    const source = newest('http://n2:1/v1/events');
    source.tell('hello', greeting);
    expect(source.isClosed).toBe(true);
    expect(model.view(nowMs).nodes.map(({ id }) => id)).toEqual(['n1', 'n2', 'n3']);
    expect(model.view(nowMs).nodes[1]).toMatchObject({ isAnswering: false, lastReason: reason });
  });
});
