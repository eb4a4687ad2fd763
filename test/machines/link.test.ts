import { describe, expect, test } from '@jest/globals';
import { assign, createActor, setup } from 'xstate';
import type { LinkReport } from '../../actors/events.js';
import { link, Outlet } from '../../actors/link.js';
import type { PeerMessage } from '../../src/raft/messages.js';
import { asIndex, asReadRound, asTerm } from '../../src/raft/numbers-and-ids.js';
import { seeded } from '../../src/raft/random.js';
import { DEFAULT_SETTINGS } from '../../src/raft/settings.js';
import type { DialEvents, Transport } from '../../src/seams/transport.js';
import { VirtualClock } from '../../src/testing/index.js';

interface Dial {
  readonly atMs: number;
  readonly events: DialEvents;
  readonly sent: PeerMessage[];
  isClosed: boolean;
}

/** A link to `b`, over a network that is played by the test. */
function linkToB() {
  const clock = new VirtualClock();
  const dials: Dial[] = [];
  const network = { takes: true };
  const outlet = new Outlet();
  const transport: Transport = {
    accept: () => () => undefined,
    dial: (_, __, events) => {
      const dial: Dial = { atMs: clock.now(), events, sent: [], isClosed: false };
      dials.push(dial);
      return {
        send: (message) => network.takes && dial.sent.push(message) > 0,
        peerArrived: () => undefined,
        close: () => {
          dial.isClosed = true;
        },
      };
    },
  };
  const owner = setup({
    types: { context: {} as { reports: readonly LinkReport[] }, events: {} as LinkReport },
    actors: { link },
    actions: { keep: assign(({ context, event }) => ({ reports: [...context.reports, event] })) },
  }).createMachine({
    context: { reports: [] },
    invoke: {
      src: 'link',
      id: 'b',
      input: {
        transport,
        identity: { clusterId: 'test', nodeId: 'a', incarnation: 'first' },
        peer: { id: 'b', address: 'b' },
        settings: DEFAULT_SETTINGS,
        chance: seeded(1),
        outlet,
      },
    },
    on: { '*': { actions: 'keep' } },
  });
  const actor = createActor(owner, { clock }).start();
  const newest = (): Dial => dials[dials.length - 1] as Dial;
  const tell = (event: Parameters<NonNullable<ReturnType<typeof child>>['send']>[0]): void => child()?.send(event);
  const child = () => actor.getSnapshot().children.b;
  const reports = (): readonly LinkReport[] => actor.getSnapshot().context.reports;
  return { clock, dials, network, outlet, newest, tell, reports };
}

const append = (index: number): PeerMessage => ({
  kind: 'append',
  term: asTerm(1),
  previous: { index: asIndex(index - 1), term: asTerm(1) },
  entries: [{ kind: 'command', index: asIndex(index), term: asTerm(1), bytes: new Uint8Array(1) } as never],
  commitIndex: asIndex(0),
  readRound: asReadRound(0),
});

describe('a link to a peer', () => {
  test('that could not be reached is dialed at once when the peer arrives', () => {
    const { clock, dials, newest, tell } = linkToB();
    newest().events.closed('connection refused', false);
    tell({ type: 'peer.arrived' });
    expect(dials).toHaveLength(2);
    expect(newest().atMs).toBe(clock.now());
  });

  test('whose address belongs to somebody else is not dialed at once when the peer arrives, and only once in a second', () => {
    const { clock, dials, newest, tell } = linkToB();
    // Two addresses were crossed: b connects to us again and again, while what answers at its address is c.
    for (let second = 0; second < 60; second += 1) {
      for (let time = 0; time < 20; time += 1) {
        if (!newest().isClosed) newest().events.closed('this is c, not b', true);
        tell({ type: 'peer.arrived' });
        clock.runFor(50);
      }
    }
    expect(dials.length).toBeGreaterThan(30);
    expect(dials.length).toBeLessThan(60 * 2 + 10);
  });

  test('without an answer is dialed anew within two heartbeats, however long the peer was away', () => {
    const { clock, dials, newest } = linkToB();
    for (let failure = 0; failure < 100; failure += 1) {
      const before = dials.length;
      newest().events.closed('connection refused', false);
      const closedAtMs = clock.now();
      while (dials.length === before) clock.advanceToNext();
      expect(newest().atMs - closedAtMs).toBeLessThanOrEqual(2 * DEFAULT_SETTINGS.HEARTBEAT_INTERVAL);
    }
  });

  test('that was open is dialed anew at once, however often it could not be reached before that', () => {
    const { clock, dials, newest } = linkToB();
    for (let failure = 0; failure < 10; failure += 1) {
      const before = dials.length;
      newest().events.closed('connection refused', false);
      while (dials.length === before) clock.advanceToNext();
    }
    newest().events.opened();
    newest().events.closed('connection reset', false);
    const closedAtMs = clock.now();
    clock.advanceToNext();
    expect(dials).toHaveLength(12);
    expect(newest().atMs - closedAtMs).toBeLessThanOrEqual(20);
  });

  test('says which append it did not take, and when there is room again', () => {
    const { network, newest, outlet, reports } = linkToB();
    newest().events.opened();
    network.takes = false;
    outlet.send(append(1));
    network.takes = true;
    newest().events.roomMade();
    expect(reports()).toEqual([
      { type: 'link.opened', peer: 'b' },
      { type: 'link.full', peer: 'b', message: append(1) },
      { type: 'link.roomMade', peer: 'b' },
    ]);
  });

  test('that is down drops appends, and says of a request that it was not delivered', () => {
    const { newest, outlet, reports } = linkToB();
    const request: PeerMessage = { kind: 'propose-request', requestId: 7, remainingMs: 100, commands: [] };
    outlet.send(append(1));
    outlet.send(request);
    newest().events.opened();
    expect(newest().sent).toEqual([]);
    expect(reports()).toEqual([
      { type: 'link.undeliverable', peer: 'b', message: request },
      { type: 'link.opened', peer: 'b' },
    ]);
  });

  test('that is told to begin anew leaves its connection and what waits in it, and dials at once', () => {
    const { dials, newest, tell, reports } = linkToB();
    newest().events.opened();
    tell({ type: 'link.reset', reason: 'the leader stalled' });
    expect(dials.map(({ isClosed }) => isClosed)).toEqual([true, false]);
    newest().events.opened();
    expect(reports()).toEqual([
      { type: 'link.opened', peer: 'b' },
      { type: 'link.closed', peer: 'b', reason: 'the leader stalled', givenUp: true },
      { type: 'link.opened', peer: 'b' },
    ]);
  });
});
