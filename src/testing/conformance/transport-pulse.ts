import type { Checks } from './conformance-case.js';
import { mustBe, mustHold, mustMatch } from './expectations.js';
import type { Dialed, Endpoints } from './transport-endpoints.js';
import { identityOf, large, vote } from './transport-endpoints.js';

/** What a connection must do while nothing, or little, passes on it. */
export const pulse: Checks<Endpoints> = {
  'an idle connection stays open, because both ends keep its pulse': async (given) => {
    given.withPulse();
    const { a, b } = await given.connected();
    await given.world.pass(400);
    mustBe('what is told of the connection', a.closed, []);
    mustBe('send after a while', a.connection.send(vote(1)), true);
    await given.world.until(() => b.listener.messages.length === 1);
  },

  'P49 a connection on which nothing passes to the peer is ended, and one dialed after the heal works': (given) =>
    // The peer hears nothing and hangs up, and news of that still comes back.
    mustEndAndReturn(given, (address) => given.world.cutTo(address), given.reasons.closedByPeer),

  'P49 a connection on which nothing passes back from it is ended, and one dialed after the heal works': (given) =>
    mustEndAndReturn(given, (address) => given.world.cutFrom(address), given.reasons.silent),

  'P49 a connection on which nothing passes either way is ended, and one dialed after the heal works': (given) => {
    const cut = (address: string): void => {
      given.world.cutTo(address);
      given.world.cutFrom(address);
    };
    return mustEndAndReturn(given, cut, given.reasons.silent);
  },

  'P50 a connection that delivers, however slowly, stays open: parts of a message are a pulse as well': async (
    given,
  ) => {
    given.withPulse();
    const { a, b } = await given.connected();
    given.world.slow(b.address, 1024 * 1024);
    a.connection.send(large(1, 512 * 1024));
    await given.world.until(() => b.listener.messages.length === 1);
    mustBe('what is told of the connection', a.closed, []);
    mustHold('the peer is told of parts while they come', b.listener.heardFrom.length > 3);
  },
};

async function mustEndAndReturn(given: Endpoints, cut: (address: string) => void, reason: RegExp): Promise<void> {
  given.withPulse();
  const { a, b } = await given.connected();
  cut(b.address);
  await given.world.until(() => a.closed.length > 0);
  mustHaveEnded(a, reason, false);
  const inVain = await given.dial(identityOf('a'), { id: 'b', address: b.address });
  await given.world.until(() => inVain.closed.length > 0);
  mustHaveEnded(inVain, given.reasons.noAnswer, false);
  given.world.heal();
  const again = await given.dial(identityOf('a'), { id: 'b', address: b.address });
  await given.world.until(() => again.opened);
  again.connection.send(vote(5));
  await given.world.until(() => {
    return b.listener.messages.some(({ message }) => message.kind === 'vote-reply' && message.term === 5);
  });
}

/** The end was told once, with a reason. */
export function mustHaveEnded({ closed }: Dialed, reason: RegExp, refused: boolean): void {
  mustBe('how often the end is told', closed.length, 1);
  mustMatch('the reason of the end', closed[0]?.reason, reason);
  mustBe('refused', closed[0]?.refused, refused);
}
