import v8 from 'node:v8';

/**
 * What `serve` asks of V8's garbage collector: that collections of young objects stay on the main thread. They are small and come
 * often, and handing them to helper threads costs a node more than doing them. Old objects are collected beside it as ever.
 */
export const COLLECTOR_FLAGS: readonly string[] = ['--no-parallel-scavenge', '--no-concurrent-array-buffer-sweeping'];

/** Sets them for this process: V8 looks at both anew at each collection. Only for a process that is a node and nothing else. */
export function setCollectorFlags(): void {
  for (const flag of COLLECTOR_FLAGS) v8.setFlagsFromString(flag);
}
