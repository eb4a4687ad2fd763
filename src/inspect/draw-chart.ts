import type { AnyStateMachine, AnyStateNode } from 'xstate';

/**
 * A machine as a Mermaid state diagram: its states, and every transition that leads to another one, with the event or
 * delay, and the condition (its description, or its guard's name) that takes it. What an event does without a change of
 * state is left out. Throws where a guard has neither a name nor a description.
 */
export function drawChart(machine: AnyStateMachine): string {
  return ['stateDiagram-v2', ...region(machine.root, 1)].join('\n');
}

function region(node: AnyStateNode, depth: number): readonly string[] {
  const indent = '  '.repeat(depth);
  const children = Object.values(node.states);
  const lines = children.flatMap((child) => {
    if (Object.keys(child.states).length === 0) return [`${indent}state "${child.key}" as ${nameOf(child)}`];
    return [`${indent}state "${child.key}" as ${nameOf(child)} {`, ...region(child, depth + 1), `${indent}}`];
  });
  const initial = node.initial.target?.[0];
  const first = initial === undefined ? [] : [`${indent}[*] --> ${nameOf(initial)}`];
  return [...lines, ...first, ...children.flatMap((child) => arrows(child, indent)), ...ownArrows(node, indent)];
}

/** Transitions of the whole machine: Mermaid has no state for it, so it gets one that stands for any. */
function ownArrows(node: AnyStateNode, indent: string): readonly string[] {
  if (node.parent !== undefined) return [];
  const drawn = arrowsOf(node, indent, 'anywhere');
  return drawn.length === 0 ? [] : [`${indent}state "any state" as anywhere`, ...drawn];
}

function arrows(node: AnyStateNode, indent: string): readonly string[] {
  return arrowsOf(node, indent, nameOf(node));
}

function arrowsOf(node: AnyStateNode, indent: string, from: string): readonly string[] {
  const words = new Map<string, string[]>();
  for (const { eventType, guard, target, description } of transitionsOf(node)) {
    for (const to of target ?? []) {
      const condition = description ?? guardWord(guard);
      const label = `${eventWord(eventType)}${condition === undefined ? '' : ` [${condition}]`}`.trim();
      words.set(nameOf(to), [...(words.get(nameOf(to)) ?? []), label]);
    }
  }
  return [...words].map(([to, labels]) => `${indent}${from} --> ${to}: ${[...new Set(labels)].join(', ')}`);
}

function transitionsOf(node: AnyStateNode) {
  const taken = [...node.transitions.values()].flat();
  return [...taken, ...(node.always ?? [])];
}

/** A delayed transition is an event inside; people know it by its delay. */
function eventWord(eventType: string): string {
  const delay = /^xstate\.after\.([^.]+)\./.exec(eventType)?.[1];
  if (delay !== undefined) return `after ${delay}`;
  return eventType.startsWith('xstate.error') ? 'an actor failed' : eventType;
}

function guardWord(guard: unknown): string | undefined {
  if (guard === undefined) return undefined;
  if (typeof guard === 'string') return guard;
  if (typeof guard === 'object' && guard !== null && 'type' in guard) return String(guard.type);
  throw new Error('expected a guard with a name, got a function: give it one in setup, or describe its transition');
}

/** Unique in the diagram, and a word in Mermaid. */
const nameOf = (node: AnyStateNode): string => node.path.join('_');
