/** What the state machine in counter.mjs offers to other processes: nodes and clients import the same definition. */
import { defineService } from 'quorate/client';

/** Commands and results travel and are kept as bytes: `decode(encode(value))` must give the same on every replica, for good. */
const json = {
  encode: (value) => new TextEncoder().encode(JSON.stringify(value)),
  decode: (bytes) => JSON.parse(new TextDecoder().decode(bytes)),
};

/** Other processes send bytes: what `decode` lets through, every replica will apply. */
const command = {
  encode: ({ name, by }) => json.encode([name, by]),
  decode: (bytes) => {
    const [name, by] = json.decode(bytes);
    if (typeof name !== 'string' || !Number.isSafeInteger(by))
      throw new TypeError('expected a name and a whole number');
    return { name, by };
  },
};

export const counters = defineService({
  name: 'counters',
  command,
  result: json,
  queries: {
    count: { input: json, answer: json, run: (machine, name) => machine.count(name) },
  },
  routes: {
    'POST /v1/counters/{name}': async ({ params: { name }, propose }) => ({
      json: { count: await propose({ name, by: 1 }) },
    }),
    'GET /v1/counters/{name}': async ({ params: { name }, read }) => ({
      json: { count: await read((machine) => machine.count(name)) },
    }),
  },
});
