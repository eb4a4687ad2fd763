import { asIndex, asTerm } from '../../raft/numbers-and-ids.js';
import type { Checks } from './conformance-case.js';
import { mustBe, mustHold, mustMatch } from './expectations.js';
import type { Endpoints } from './transport-endpoints.js';
import { identityOf, vote } from './transport-endpoints.js';
import type { Fetched } from './transport-fetches.js';
import { FileInMemory } from './transport-fetches.js';

/** What a transport that carries snapshots must do. */
export const snapshots: Checks<Endpoints> = {
  'the file of a snapshot comes whole, from any byte on': async (given) => {
    const b = await given.serving(3_000_001);
    for (const from of [0, 1, 2_000_000, 3_000_000, 3_000_001]) {
      const fetched = await given.fetch(b, { from });
      await given.world.until(() => fetched.isOver);
      mustBe('the problem of a fetch', fetched.error?.problem, undefined);
      mustBe('the size that was said', fetched.size, 3_000_001);
      mustBe('the number of bytes that came', fetched.bytes, 3_000_001 - from);
      mustHold('the bytes of the file come as they are, in order', fetched.isRight);
    }
    await given.world.until(() => b.store.openFiles === 0);
  },

  'a snapshot that is not there is gone': async (given) => {
    const b = await given.serving(10);
    const wanted = { index: asIndex(8), term: asTerm(1) };
    const fetched = await given.fetch(b, { wanted });
    await given.world.until(() => fetched.isOver);
    mustBe('the problem of the fetch', fetched.error?.problem, 'gone');
    mustBe('the number of bytes that came', fetched.bytes, 0);
  },

  'where nobody serves snapshots the fetch is lost': async (given) => {
    const { transport, address } = await given.world.endpoint();
    const fetched = await given.fetch({ transport, address, store: new FileInMemory(0) }, {});
    await given.world.until(() => fetched.isOver);
    mustBe('the problem of the fetch', fetched.error?.problem, 'lost');
  },

  'a node of another cluster, and another data directory of a node that was met, are sent nothing': async (given) => {
    const b = await given.serving(10);
    for (const [identity, reason] of [
      [identityOf('a', { clusterId: 'other' }), given.reasons.otherCluster],
      [identityOf('a', { incarnation: 'wiped' }), given.reasons.otherDirectory],
    ] as const) {
      const first = await given.fetch(b, {});
      await given.world.until(() => first.isOver);
      const fetched = await given.fetch(b, { identity });
      await given.world.until(() => fetched.isOver && b.store.refusals.length > 0);
      mustBe('the problem of the fetch', fetched.error?.problem, 'refused');
      mustMatch('the reason of the one that refuses', b.store.refusals.pop(), reason);
    }
  },

  'one who takes nothing is sent little, and the rest once it does': async (given) => {
    const bytes = 64 * 1024 * 1024;
    const b = await given.serving(bytes);
    const fetched = await given.fetch(b, { takes: false });
    await given.world.until(() => fetched.bytes > 0);
    await given.world.pass(500);
    mustHold('most of the file is not read before the receiver takes what came', b.store.readBytes < bytes / 2);
    mustBe('the pieces that came', fetched.pieces, 1);
    fetched.takeOn();
    await given.world.until(() => fetched.isOver);
    mustBe('the number of bytes that came', fetched.bytes, bytes);
    mustHold('the bytes of the file come as they are, in order', fetched.isRight);
  },

  'P29 messages pass while a large file is sent': async (given) => {
    const b = await given.serving(32 * 1024 * 1024);
    const link = await given.connectedTo(b);
    const fetched = await given.fetch(b, {});
    await given.world.until(() => fetched.bytes > 0);
    link.a.connection.send(vote(1));
    await given.world.until(() => link.listener.messages.length === 1);
    mustHold('the file is still on its way when a message has come', !fetched.isOver);
    await given.world.until(() => fetched.isOver);
    mustBe('the number of bytes that came', fetched.bytes, 32 * 1024 * 1024);
  },

  'P58 a fetch whose peer falls silent is lost, and goes on from the byte where it was': async (given) => {
    given.withPulse();
    const bytes = 32 * 1024 * 1024;
    const b = await given.serving(bytes);
    given.world.slow(b.address, 16 * 1024 * 1024);
    const broken = await given.fetch(b, {});
    await given.world.until(() => broken.bytes > bytes / 4);
    given.world.cutFrom(b.address);
    await given.world.until(() => broken.isOver);
    mustBe('the problem of the fetch', broken.error?.problem, 'lost');
    given.world.heal();
    const rest = await given.fetch(b, { from: broken.bytes });
    await given.world.until(() => rest.isOver);
    mustBe('all bytes that came', broken.bytes + rest.bytes, bytes);
    mustHold('the bytes of the file come as they are, in order', broken.isRight && rest.isRight);
  },

  'a fetch that is cancelled says nothing more, and its file is let go of': async (given) => {
    const b = await given.serving(32 * 1024 * 1024);
    const fetched = await given.fetch(b, {});
    await given.world.until(() => fetched.bytes > 0);
    fetched.cancel();
    const { bytes } = fetched;
    await given.world.pass(100);
    mustBe('the bytes that came', fetched.bytes, bytes);
    mustBe('whether its end is told', fetched.isOver, false);
    const again = await given.fetch(b, {});
    await given.world.until(() => again.isOver);
    await given.world.until(() => b.store.openFiles === 0);
  },

  'three nodes fetch at once; more than the peer can serve are told to wait': async (given) => {
    const b = await given.serving(32 * 1024 * 1024);
    const all = ['c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l'];
    const fetches: Fetched[] = [];
    for (const id of all) {
      const fetched = await given.fetch(b, { identity: identityOf(id), takes: false });
      await given.world.until(() => fetched.isOver || fetched.bytes > 0);
      fetches.push(fetched);
    }
    const begun = fetches.filter(({ isOver }) => !isOver);
    mustHold('three are served at once', begun.length >= 3);
    mustHold('not all of ten are served at once', begun.length < all.length);
    for (const { error } of fetches.filter(({ isOver }) => isOver))
      mustBe(`the problem of a fetch (${error?.message})`, error?.problem, 'busy');
    for (const fetched of begun) fetched.takeOn();
    await given.world.until(() => begun.every(({ isOver }) => isOver));
    for (const { error } of begun) mustBe('the problem of a fetch that was served', error, undefined);
  },
};
