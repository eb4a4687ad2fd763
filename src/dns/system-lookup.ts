import dns from 'node:dns';
import type { SystemLookup } from './host-names.js';

/** `getaddrinfo`: name servers, /etc/hosts and whatever else the machine is set up to ask. */
export const systemLookup: SystemLookup = (name, done) => {
  dns.lookup(name, { all: true }, (error, addresses) => done(error, addresses ?? []));
};
