import { WebSocket } from 'ws';
import type { AnyActorRef } from 'xstate';
import { createMachine } from 'xstate';
import type { InspectionActor, InspectionMessage } from '../../src/inspect/stream.js';
import type { CreateInspectorOptions, Inspector } from '../../src/inspect.js';
import { createInspector } from '../../src/inspect.js';

/** What has to be ended after a test, the newest first. */
export const ends: (() => unknown)[] = [];

export async function endAll(): Promise<void> {
  for (const end of ends.splice(0).reverse()) await end();
}

export async function inspector(options: CreateInspectorOptions = { port: 0 }): Promise<Inspector> {
  const made = await createInspector(options);
  ends.push(() => made.close());
  return made;
}

/** A viewer of an inspector's stream. */
export function look(url: string) {
  const messages: InspectionMessage[] = [];
  const { origin } = new URL(url);
  const socket = new WebSocket(`${origin.replace('http', 'ws')}/inspector/stream`, 'quorate.inspect.v1', { origin });
  const closed = new Promise<{ readonly code: number; readonly reason: string }>((resolve) => {
    socket.once('close', (code, reason) => resolve({ code, reason: reason.toString() }));
  });
  socket.on('message', (data) => void messages.push(JSON.parse(String(data)) as InspectionMessage));
  socket.on('error', () => undefined);
  ends.push(() => socket.terminate());
  const actor = (id: string): InspectionActor | undefined =>
    messages.find((message): message is InspectionActor => message.type === 'actor' && message.id === id);
  const values = (id: string): readonly string[] =>
    messages.flatMap((message) =>
      message.type === 'snapshot' && message.actor === actor(id)?.actor ? [JSON.stringify(message.snapshot.value)] : [],
    );
  return { messages, socket, actor, values, closed };
}

export const light = createMachine({
  id: 'light',
  initial: 'off',
  states: { off: { on: { toggle: 'on' } }, on: { on: { toggle: 'off' } } },
});

/** Counts who inspects an actor's system. */
export function countObservers(actor: AnyActorRef): () => number {
  let count = 0;
  const inspect = actor.system.inspect.bind(actor.system);
  actor.system.inspect = (observer) => {
    const subscription = inspect(observer);
    count += 1;
    let isOver = false;
    return {
      unsubscribe: () => {
        if (!isOver) count -= 1;
        isOver = true;
        subscription.unsubscribe();
      },
    };
  };
  return () => count;
}
