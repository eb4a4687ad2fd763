import { ActorObserver } from '../../src/inspect/actor-observer.js';
import type { InspectionMessage } from '../../src/inspect/stream.js';
import { isQuietEvent, withoutResults } from '../../src/node/inspected-events.js';
import { simulate } from '../../src/testing/index.js';

/** The inspection stream of three simulated replicas: an election, writes, the leader's death, another election, and its return. */
export function recordElection(): readonly InspectionMessage[] {
  const cluster = simulate({ seed: 7, replicas: 'abc' });
  const atMs = cluster.time.wallNow();
  const messages: InspectionMessage[] = [{ type: 'hello', version: 1, atMs }];
  const watch = (id: string): ActorObserver => {
    const replica = cluster.replica(id);
    const { actor } = replica;
    if (actor === undefined) throw new Error(`expected ${id} to run`);
    const name = `${id} at 127.0.0.1:740${'abc'.indexOf(id) + 1}`;
    let count = 0;
    messages.push({ type: 'system', system: id, name, cluster: 'orders', via: 'quorate', pid: null, connected: true });
    return new ActorObserver({
      actor,
      system: id,
      clock: cluster.time,
      isQuiet: isQuietEvent,
      shownOf: withoutResults,
      emit: (message) => void messages.push(message),
      sequence: () => {
        count += 1;
        return count;
      },
      failed: (error) => {
        throw error;
      },
    });
  };
  const observers = [...'abc'].map(watch);
  cluster.elect('a').untilServing();
  for (let at = 0; at < 20; at += 1) cluster.propose(`secret ${at}`, 'a').runFor(50);
  cluster.crash('a');
  cluster.runFor(1_000).untilServing().restart('a').runFor(500);
  observers.push(watch('a'));
  cluster.runFor(2_000);
  for (const observer of observers) observer.stop();
  return messages;
}
