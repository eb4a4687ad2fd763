import type { KnownPeers } from '../../seams/known-peers.js';
import type { Checks, ConformanceCase } from './conformance-case.js';
import { casesOf } from './conformance-case.js';
import { answer } from './disk-calls.js';
import { mustBe, mustHold } from './expectations.js';

export interface KnownPeersPlace {
  /** The memory of a node that has met nobody. */
  readonly knownPeers: KnownPeers;
  /** Removes what the case has left. */
  clear(): void | Promise<void>;
}

export interface DurableKnownPeersPlace extends KnownPeersPlace {
  /** The memory of the node's next start, if its process is killed now. */
  restart(): KnownPeers | Promise<KnownPeers>;
}

/** What every `KnownPeers` must do. `prepare` makes an empty place for each case. */
export function knownPeersConformance(
  prepare: () => KnownPeersPlace | Promise<KnownPeersPlace>,
): readonly ConformanceCase[] {
  return casesOf(checks, (check) => inPlace(prepare, check));
}

/** What a `KnownPeers` must still know after a restart; `knownPeersConformance` has the rest. */
export function knownPeersRestartConformance(
  prepare: () => DurableKnownPeersPlace | Promise<DurableKnownPeersPlace>,
): readonly ConformanceCase[] {
  return casesOf(restartChecks, (check) => inPlace(prepare, check));
}

async function inPlace<Place extends KnownPeersPlace>(
  prepare: () => Place | Promise<Place>,
  check: (place: Place) => void | Promise<void>,
): Promise<void> {
  const place = await prepare();
  try {
    await check(place);
  } finally {
    await place.clear();
  }
}

const remember = (knownPeers: KnownPeers, peer: string, incarnation: string): Promise<void> =>
  answer((done) => knownPeers.remember(peer, incarnation, (error) => done(error, undefined)));

const checks: Checks<KnownPeersPlace> = {
  'nobody is known who was never met, whatever the name': ({ knownPeers }) => {
    for (const peer of ['n2', 'constructor', 'toString', '__proto__'])
      mustBe(`the incarnation of ${peer}`, knownPeers.incarnationOf(peer), undefined);
  },

  'who was met is known, each by its own incarnation': async ({ knownPeers }) => {
    await remember(knownPeers, 'n2', 'of n2');
    await remember(knownPeers, 'n3', 'of n3');
    mustBe('the incarnation of n2', knownPeers.incarnationOf('n2'), 'of n2');
    mustBe('the incarnation of n3', knownPeers.incarnationOf('n3'), 'of n3');
    mustBe('the incarnation of n4', knownPeers.incarnationOf('n4'), undefined);
  },

  'P43 the first incarnation counts, for good': async ({ knownPeers }) => {
    await remember(knownPeers, 'n2', 'the first');
    await remember(knownPeers, 'n2', 'another');
    mustBe('the incarnation of n2', knownPeers.incarnationOf('n2'), 'the first');
  },

  'P43 of two that ask at once for one name, both are answered and the first is believed': async ({ knownPeers }) => {
    await Promise.all([
      remember(knownPeers, 'n2', 'the first'),
      remember(knownPeers, 'n2', 'another'),
      remember(knownPeers, 'n3', 'of n3'),
    ]);
    mustBe('the incarnation of n2', knownPeers.incarnationOf('n2'), 'the first');
    mustBe('the incarnation of n3', knownPeers.incarnationOf('n3'), 'of n3');
  },
};

const restartChecks: Checks<DurableKnownPeersPlace> = {
  'P43 who was met is known after a restart, from the moment that it is told': async (place) => {
    await remember(place.knownPeers, 'n2', 'of n2');
    const after = await place.restart();
    mustBe('the incarnation of n2', after.incarnationOf('n2'), 'of n2');
    mustBe('the incarnation of n3', after.incarnationOf('n3'), undefined);
  },

  'P43 the first incarnation counts across restarts, for many peers': async (place) => {
    const peers = Array.from({ length: 20 }, (_, at) => `n${at + 2}`);
    await Promise.all(peers.map((peer) => remember(place.knownPeers, peer, `of ${peer}`)));
    let after = await place.restart();
    for (const peer of peers) await remember(after, peer, 'another');
    after = await place.restart();
    const isKnown = peers.every((peer) => after.incarnationOf(peer) === `of ${peer}`);
    mustHold('every peer is known by its first incarnation', isKnown);
  },
};
