import { HostNames } from './host-names.js';
import { systemLookup } from './system-lookup.js';

/** Shared by all that a process dials beside its links: a name that is slow to look up is looked up once for all of it. */
export const processNames = new HostNames({
  lookup: systemLookup,
  clock: {
    now: () => performance.now(),
    setTimeout: (callback, delayMs) => setTimeout(callback, delayMs),
    clearTimeout: (handle) => clearTimeout(handle as NodeJS.Timeout),
  },
});
