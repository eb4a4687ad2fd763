import v8 from 'node:v8';

/**
 * Flags of V8's garbage collector for `serve`: collections of young objects stay on the main thread. They are small and come
 * often, and handing them to other threads costs a node more than doing them. Old objects are still collected by other threads.
 */
export const COLLECTOR_FLAGS: readonly string[] = ['--no-parallel-scavenge', '--no-concurrent-array-buffer-sweeping'];

/** Sets them for this process: V8 looks at both anew at each collection. Only for a process that is a node and nothing else. */
export function setCollectorFlags(): void {
  for (const flag of COLLECTOR_FLAGS) v8.setFlagsFromString(flag);
}
