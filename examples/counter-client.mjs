/**
 * Counts at the nodes of counter-node.mjs, from a process of its own.
 *
 *   node examples/counter-client.mjs 127.0.0.1:8301,127.0.0.1:8302 visits     visits: counted 3, and now it is 3
 */
import { connect } from 'quorate/client';
import { counters } from './counter-service.mjs';

const [endpoints, name] = process.argv.slice(2);
if (name === undefined) {
  console.error('usage: node examples/counter-client.mjs HOST:PORT,… NAME');
  process.exit(2);
}

const db = await connect(endpoints.split(','), { service: counters });
const mine = await db.propose({ name, by: 1 });
const all = await db.query({ count: name }); // never less than any increment that was answered before
console.log(`${name}: counted ${mine}, and now it is ${all}`);
await db.close();
