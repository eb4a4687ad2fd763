import { fromEnvironment } from '../node/serve-form.js';
import { loadZod } from '../node/zod.js';
import type { Configuration } from './configuration.js';
import { checkedConfiguration, configure } from './configuration.js';
import { listenForStop } from './stop-signals.js';

export interface ServeFlags extends Record<string, unknown> {
  readonly config?: string;
  readonly join?: string;
  readonly printConfig?: boolean;
  readonly inspect?: string | boolean;
  readonly json?: boolean;
}

/** Runs one node until a signal or a failure ends it, or shows how it would be run. */
export async function serve(flags: ServeFlags): Promise<void> {
  const configuration = configure(flags, process.env, flags.config ?? fromEnvironment('QUORATE_CONFIG', process.env));
  const z = await loadZod();
  // The values are shown first: then it is seen where the wrong one comes from, and which one is missing.
  if (flags.printConfig === true) printConfiguration(configuration, flags.json === true);
  const checked = checkedConfiguration(z, configuration);
  if (flags.printConfig === true) return;
  const stop = listenForStop();
  const { runNode } = await loadRunNode();
  await runNode(checked, stop);
}

/**
 * Loads only now, because what is wrong with the flags should be said at once; and in steps, because Node.js opens all modules that are
 * imported at the same depth at once: a process that may open 80 files ran out of them.
 */
async function loadRunNode(): Promise<typeof import('./run-node.js')> {
  await import('../../machines/index.js');
  await import('../http/serve-node.js');
  return await import('./run-node.js');
}

function printConfiguration(configuration: Configuration, asJson: boolean): void {
  if (asJson) {
    process.stdout.write(`${JSON.stringify(configuration)}\n`);
    return;
  }
  for (const [name, { value, source }] of Object.entries(configuration)) {
    const shown = value === undefined ? '(none)' : typeof value === 'object' ? JSON.stringify(value) : String(value);
    process.stdout.write(`${name} = ${shown}  (${source})\n`);
  }
}
