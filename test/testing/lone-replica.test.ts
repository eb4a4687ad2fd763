import { expect, test } from '@jest/globals';
import { LoneReplica } from '../../src/testing/index.js';

test('the only replica of a cluster stands, and leads at once; one that leads stays', () => {
  const alone = new LoneReplica({ ids: 'a' }).stand();
  expect(alone.value).toMatchObject({ active: { leader: expect.anything() } });
  expect(new LoneReplica({ ids: 'a' }).lead().term).toBe(1);
  const { term } = alone;
  expect(alone.stand().lead().term).toBe(term);
});

test('of several it stands, and leads with a vote', () => {
  expect(new LoneReplica().stand().value).toMatchObject({ active: 'candidate' });
  expect(new LoneReplica().lead().value).toMatchObject({ active: { leader: expect.anything() } });
});

test('one that can never stand is named, with where it is', () => {
  const replica = new LoneReplica({ settings: { ELECTION_TIMEOUT_MIN: 900, ELECTION_TIMEOUT_MAX: 1_000 } });
  replica.actor.send({ type: 'log.failed', error: new Error('the disk is gone') } as never);
  replica.pass(1);
  expect(() => replica.stand()).toThrow(/^expected the replica to stand for election, but it is halted/);
});
