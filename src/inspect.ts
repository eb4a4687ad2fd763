/** The exports of `quorate/inspect`: an inspector for any XState 5 program, in a browser, without any other network. */
import type { CreateInspectorOptions, Inspector } from './inspect/create-inspector.js';
import { createInspector as createInspectorOn } from './inspect/create-inspector.js';
import { systemClock } from './node/system-clock.js';

export type { CreateInspectorOptions, Inspector } from './inspect/create-inspector.js';
export type * from './inspect/stream.js';

/**
 * Shows XState 5 actors of this process, and of every program that connects, in a page: `const { inspect } = await createInspector()`,
 * then `createActor(machine, { inspect })`, or `attach(actor)` late. Nothing is watched while nobody looks. Rejects with
 * CONFIG_INVALID where the port is taken or the options cannot work.
 */
export function createInspector(options: CreateInspectorOptions = {}): Promise<Inspector> {
  return createInspectorOn(options, systemClock);
}
