/** Three nodes in one process: each takes a write, the leader closes, and the others go on. Prints what came of it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { KeyValueStore, ReplicaNode } from 'quorate';

const ids = ['n1', 'n2', 'n3'];
const first = Number(process.argv[2]);
const directory = mkdtempSync(path.join(tmpdir(), 'quorate-three-'));
const peers = Object.fromEntries(ids.map((id, at) => [id, `127.0.0.1:${first + at}`]));
const options = { peers, ELECTION_TIMEOUT_MIN: 1_000, ELECTION_TIMEOUT_MAX: 1_500 };
const nodes = await Promise.all(
  ids.map((id) => {
    return ReplicaNode.open({ ...options, id, dataDir: path.join(directory, id), stateMachine: new KeyValueStore() });
  }),
);
const put = async (node, key) => {
  await node.waitForLeader({ timeoutMs: 30_000 });
  const value = new TextEncoder().encode(key);
  return (await node.propose({ kind: 'put', key, value }, { timeoutMs: 30_000 })).revision;
};
const revisions = [];
for (const node of nodes) revisions.push(await put(node, node.state.id));
const leader = nodes.find((node) => node.state.role === 'leader');
await leader.close();
const [other, another] = nodes.filter((node) => node !== leader);
revisions.push(await put(other, 'after'));
const { items } = await another.read((store) => store.list({ prefix: '', limit: 10 }), { timeoutMs: 30_000 });
await Promise.all([other.close(), another.close()]);
rmSync(directory, { recursive: true });
console.log(revisions.join(' '), items.map(({ key }) => key).join(' '));
