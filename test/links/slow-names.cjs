/**
 * Loaded before a node (`--require`): its names end in .test, are looked up as slowly as SLOW_NAMES says (ms by name; null: for
 * ever; "fails": at once, and in vain), and two at a time at most, as Node.js does with the operating system's lookups. Each is a line on standard error.
 */
const dns = require('node:dns');

const MOST_AT_ONCE = 2;
const slow = JSON.parse(process.env.SLOW_NAMES ?? '{}');
const systemLookup = dns.lookup;
const waiting = [];
let underWay = 0;

function next() {
  while (underWay < MOST_AT_ONCE && waiting.length > 0) {
    const { name, answer } = waiting.shift();
    underWay += 1;
    const takesMs = slow[name];
    if (takesMs === null) continue;
    setTimeout(() => {
      underWay -= 1;
      answer();
      next();
    }, takesMs);
  }
}

dns.lookup = (name, options, callback) => {
  if (!name.endsWith('.test')) return systemLookup(name, options, callback);
  process.stderr.write(`lookup of ${name}\n`);
  const found = { address: '127.0.0.1', family: 4 };
  const answer = () => (options.all === true ? callback(null, [found]) : callback(null, found.address, found.family));
  if (slow[name] === 'fails') {
    const error = Object.assign(new Error(`getaddrinfo EAI_AGAIN ${name}`), { code: 'EAI_AGAIN' });
    return void setImmediate(() => callback(error));
  }
  waiting.push({ name, answer });
  next();
};
