import { createHash } from 'node:crypto';
import { expect, test } from '@jest/globals';
import type { AnyActorScope, AnyEventObject, AnyMachineSnapshot, AnyStateMachine } from 'xstate';
import { heartbeatManager } from '../../actors/heartbeat-manager.js';
import { link } from '../../actors/link.js';
import { replicator } from '../../actors/replicator.js';
import { replicaMachine } from '../../machines/index.js';
import { fastTransition } from '../../src/fast-transition/fast-transition.js';
import { explore } from '../../src/testing/index.js';

type Wrap = <Machine extends AnyStateMachine>(machine: Machine) => Machine;

/** One line for each event that an actor takes: the event, the state after it, and the context and all effects as a checksum. */
function recorded<Machine extends AnyStateMachine>(machine: Machine, lines: string[]): Machine {
  const { transition } = machine;
  machine.transition = (snapshot: AnyMachineSnapshot, event: AnyEventObject, scope: AnyActorScope) => {
    const effects: unknown[] = [];
    const actionExecutor: AnyActorScope['actionExecutor'] = (action) => {
      effects.push([action.type, action.params]);
      scope.actionExecutor(action);
    };
    const next = transition(snapshot, event, { ...scope, actionExecutor });
    const [context, done] = [next.context, [event, effects]].map((value) => checksum(asText(value)));
    const kinds = effects.map((effect) => (effect as [string])[0]).join(' ');
    const place = `${scope.self.id} ${event.type}: ${asText(next.value)} ${next.status}`;
    lines.push(`${place}, context ${context}, effects ${kinds} ${done}`);
    return next;
  };
  return machine;
}

const checksum = (text: string): string =>
  createHash('sha1')
    .update(text.replaceAll(/\bx:\d+/g, 'x'))
    .digest('hex')
    .slice(0, 12);

/** Functions and what holds no data of its own (clocks, disks, sockets) stay out; actors are their ids. */
function asText(value: unknown): string {
  const seen = new Set<unknown>();
  return JSON.stringify(value, (_, part: unknown) => {
    if (typeof part === 'bigint') return String(part);
    if (part instanceof Map || part instanceof Set) return [...part];
    if (part instanceof Error) return part.message;
    if (typeof part !== 'object' || part === null || Array.isArray(part)) return part;
    if (seen.has(part)) return '(again)';
    seen.add(part);
    const prototype: unknown = Object.getPrototypeOf(part);
    return prototype === null || prototype === Object.prototype ? part : part.constructor.name;
  });
}

/** What all actors of all replicas did in a simulated run. */
function play(seed: number, wrap: Wrap): readonly string[] {
  const lines: string[] = [];
  const record: Wrap = (machine) => recorded(wrap(machine.provide({}) as typeof machine), lines);
  const machine = replicaMachine.provide({
    actors: { heartbeatManager: record(heartbeatManager), link: record(link), replicator: record(replicator) },
  });
  const { trace } = explore(seed, { troubleMs: 1_500, options: { machine: recorded(wrap(machine), lines) } });
  // XState counts actors without a name through the whole process: each gets the place of its first appearance.
  const names = new Map<string, string>();
  const named = (name: string): string => {
    names.set(name, names.get(name) ?? `actor ${names.size}`);
    return names.get(name) as string;
  };
  return [...lines.map((line) => line.replaceAll(/\bx:\d+/g, named)), ...trace];
}

test.each([1, 2, 3, 4, 5, 6, 7])(
  'seed %i: every actor goes through the same states, contexts and effects by the fast transition and by XState alone',
  (seed) => {
    let fast = 0;
    const alone = play(seed, (machine) => machine);
    const both = play(seed, (machine) => {
      const before = machine.transition;
      const laid = fastTransition(machine);
      fast += laid.transition === before ? 0 : 1;
      return laid;
    });
    expect(fast).toBe(4);
    expect(alone.length).toBeGreaterThan(500);
    const differsAt = alone.findIndex((line, at) => line !== both[at]);
    expect([differsAt, both.slice(differsAt, differsAt + 3)]).toEqual([-1, alone.slice(differsAt, differsAt + 3)]);
    expect(both).toHaveLength(alone.length);
  },
);
