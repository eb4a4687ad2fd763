import { expect, test } from '@jest/globals';
import type { AnyStateMachine } from 'xstate';
import { heartbeatManager } from '../../actors/heartbeat-manager.js';
import { link } from '../../actors/link.js';
import { replicator } from '../../actors/replicator.js';
import { replicaMachine } from '../../machines/index.js';
import { LoneReplica } from '../../src/testing/index.js';

test('the tests of this project run with XState alone: the machines have its own transition, and show all microsteps', () => {
  const machines = [replicaMachine, heartbeatManager, link, replicator] as unknown as AnyStateMachine[];
  for (const { transition } of machines) expect(transition.name).toBe('bound transition');
  const leader = new LoneReplica().lead();
  const microsteps: string[] = [];
  leader.actor.system.inspect((inspected) => {
    if (inspected.type === '@xstate.microstep') microsteps.push(inspected.event.type);
  });
  leader.send({ type: 'client.proposed', requestId: 1, commands: [new TextEncoder().encode('x')] });
  expect(microsteps).toContain('client.proposed');
});
