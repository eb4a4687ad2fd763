import type { EventStream, NodeReport } from './node-report.js';

/** Says what is wrong with a value, as `log.lastIndex: expected a number`; null where nothing is. */
type Check = (value: unknown, path: string) => string | null;
type Shape<Type> = { readonly [Name in keyof Type]-?: Check };

function expecting(what: string, isIt: (value: unknown) => boolean): Check {
  return (value, path) => (isIt(value) ? null : `${path}: expected ${what}`);
}

/** The times that a Date can hold. */
const LATEST_MS = 8.64e15;

const text = expecting('a text', (value) => typeof value === 'string');
const truth = expecting('true or false', (value) => typeof value === 'boolean');
const number = expecting('a number', (value) => Number.isFinite(value));
const time = expecting(
  'a time in milliseconds',
  (value) => Number.isFinite(value) && Math.abs(value as number) <= LATEST_MS,
);

const oneOf = <Text extends string>(...texts: readonly Text[]): Check =>
  expecting(`one of ${texts.join(', ')}`, (value) => texts.includes(value as Text));

const orNull =
  (check: Check): Check =>
  (value, path) =>
    value === null ? null : check(value, path);

/** Earlier releases do not have the field. */
const ifThere =
  (check: Check): Check =>
  (value, path) =>
    value === undefined ? null : check(value, path);

function listOf(check: Check): Check {
  return (value, path) => {
    if (!Array.isArray(value)) return `${path}: expected a list`;
    return firstFault(value.map((one, at) => () => check(one, `${path}[${at}]`)));
  };
}

function recordOf(check: Check): Check {
  return (value, path) => {
    if (!isObject(value)) return `${path}: expected an object`;
    return firstFault(
      Object.entries(value).map(
        ([name, one]) =>
          () =>
            check(one, `${path}.${name}`),
      ),
    );
  };
}

/** Fields that are not named here are let be: later releases may add some. */
function objectOf<Type>(shape: Shape<Type>): Check {
  return (value, path) => {
    if (!isObject(value)) return `${path}: expected an object`;
    const checks = Object.entries<Check>(shape);
    return firstFault(
      checks.map(
        ([name, check]) =>
          () =>
            check(value[name], path === '' ? name : `${path}.${name}`),
      ),
    );
  };
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function firstFault(checks: readonly (() => string | null)[]): string | null {
  for (const check of checks) {
    const fault = check();
    if (fault !== null) return fault;
  }
  return null;
}

const REPORT: Shape<NodeReport> = {
  atMs: time,
  role: oneOf('recovering', 'follower', 'candidate', 'leader', 'halted'),
  term: number,
  leaderId: orNull(text),
  state: text,
  members: listOf(
    objectOf<NodeReport['members'][number]>({
      id: text,
      address: text,
      voter: truth,
      status: orNull(oneOf('up', 'suspect', 'down')),
      matchIndex: orNull(number),
      haltedBy: ifThere(orNull(text)),
    }),
  ),
  log: objectOf<NodeReport['log']>({
    firstIndex: number,
    lastIndex: number,
    durableIndex: number,
    commitIndex: number,
    appliedIndex: number,
    agreedIndex: ifThere(number),
    terms: listOf(objectOf<NodeReport['log']['terms'][number]>({ startIndex: number, term: number })),
  }),
  snapshot: orNull(objectOf<NonNullable<NodeReport['snapshot']>>({ index: number, bytes: number })),
  receiving: ifThere(
    orNull(
      objectOf<NonNullable<NodeReport['receiving']>>({ from: text, index: number, bytes: number, ofBytes: number }),
    ),
  ),
  timer: orNull(objectOf<NonNullable<NodeReport['timer']>>({ lengthMs: number, restMs: number })),
  votes: orNull(recordOf(orNull(truth))),
  links: listOf(
    objectOf<NodeReport['links'][number]>({
      peer: text,
      state: oneOf('dialing', 'open', 'waiting'),
      reason: orNull(text),
      nextDialInMs: orNull(number),
      sentPerSecond: number,
      receivedPerSecond: number,
      unanswered: orNull(number),
    }),
  ),
  waiting: objectOf<NodeReport['waiting']>({
    puts: number,
    reads: number,
    oldestMs: orNull(number),
    endedUnknown: number,
  }),
  haltedBy: orNull(text),
  notReady: orNull(objectOf<NonNullable<NodeReport['notReady']>>({ code: text, message: text })),
};

const METRICS: Shape<EventStream['metrics']> = {
  atMs: time,
  putsPerSecond: number,
  readsPerSecond: number,
  putP50Ms: orNull(number),
  putP99Ms: orNull(number),
  syncMs: orNull(number),
  eventLoopDelayMs: orNull(number),
  errors: recordOf(number),
  behind: orNull(recordOf(number)),
};

const EVENTS: Shape<EventStream> = {
  hello: objectOf<EventStream['hello']>({
    version: number,
    id: text,
    clusterId: text,
    cluster: orNull(text),
    address: text,
    release: text,
    startCommand: orNull(text),
    settings: objectOf<EventStream['hello']['settings']>({
      electionTimeoutMinMs: number,
      electionTimeoutMaxMs: number,
      heartbeatMs: number,
      maxMissedHeartbeats: number,
      priority: number,
    }),
  }),
  report: objectOf(REPORT),
  metrics: objectOf(METRICS),
  history: objectOf<EventStream['history']>({ metrics: listOf(objectOf(METRICS)) }),
  news: objectOf<EventStream['news']>({
    sequence: number,
    atMs: time,
    event: text,
    term: number,
    tone: oneOf('accent', 'wait', 'danger', 'neutral'),
    text,
    details: recordOf(() => null),
  }),
};

export const isEventName = (name: string): name is keyof EventStream => Object.hasOwn(EVENTS, name);

/** Why a message is none of version 1, as `log.lastIndex: expected a number`; null where it is one. What else it holds is let be. */
export const eventFault = (name: keyof EventStream, data: unknown): string | null => EVENTS[name](data, '');
