/**
 * How fast a snapshot's file travels from one process to another on this machine, is verified and made durable, and how much of the CPU and
 * memory that takes. `npm run build && node bench/fill.mjs [megabytes] [times]`, by default 512 and 3.
 */
import { fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { NodeDisk, nodeChecksum, openDataDirectory, systemClock, WebSocketTransport } from '../dist/src/index.js';

const SETTINGS = { ELECTION_TIMEOUT_MIN: 150, HEARTBEAT_INTERVAL: 50, MAX_MISSED_HEARTBEATS: 3 };
const WANTED = { index: 7, term: 1, timeMs: 1, voters: ['n1', 'n2'] };
const CHUNK_BYTES = 256 * 1024;
const asked = (ask) =>
  new Promise((resolve, reject) => ask((error, value) => (error ? reject(error) : resolve(value))));

function open(directory, nodeId) {
  const disk = new NodeDisk(directory, systemClock);
  const whose = { clusterId: 'fill', cluster: 'fill', members: { n1: 'n1', n2: 'n2' }, nodeId };
  return asked((done) =>
    openDataDirectory({ disk, checksum: nodeChecksum, makeIncarnation: () => `of ${nodeId}`, ...whose }, done),
  );
}

async function serve(directory, megabytes) {
  const { identity, snapshots } = await open(directory, 'n1');
  const writer = await asked((done) => snapshots.create(WANTED, done));
  const chunk = new Uint8Array(CHUNK_BYTES);
  for (let at = 0; at < chunk.byteLength; at += 1) chunk[at] = (at * 31) ^ (at >>> 8);
  const chunks = Math.ceil((megabytes * 1e6) / CHUNK_BYTES);
  for (let at = 0; at < chunks; at += 1) await asked((done) => writer.write([chunk], done));
  await asked((done) => writer.finish(done));
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const refused = (reason) => process.stderr.write(`${reason}\n`);
  new WebSocketTransport({ server, clock: systemClock }).serveSnapshots(
    identity,
    { store: snapshots, refused },
    SETTINGS,
  );
  process.on('message', () => process.send({ cpu: process.cpuUsage(), rss: process.memoryUsage().rss }));
  process.send({ port: server.address().port });
}

function fetchOnce({ source, snapshots }) {
  const begunAt = performance.now();
  return new Promise((resolve, reject) => {
    let incoming;
    let size = 0;
    const waiting = [];
    const write = (bytes, taken) => incoming.write(bytes, (error) => (error ? reject(error) : taken()));
    source.fetch('n1', WANTED, 0, {
      begins: (bytes) => {
        size = bytes;
        snapshots.receive(WANTED, bytes, (error, opened) => {
          if (error) return reject(error);
          incoming = opened;
          for (const [piece, taken] of waiting.splice(0)) write(piece, taken);
        });
      },
      chunk: (bytes, taken) => (incoming === undefined ? waiting.push([bytes, taken]) : write(bytes, taken)),
      ended: (error) => {
        if (error) return reject(error);
        const cameMs = performance.now() - begunAt;
        incoming.finish((failure) => {
          if (failure) reject(failure);
          else resolve({ size, cameMs, wholeMs: performance.now() - begunAt });
        });
      },
    });
  });
}

async function measure(megabytes, times) {
  const root = mkdtempSync(path.join(os.tmpdir(), 'quorate-fill-'));
  const child = fork(process.argv[1], ['serve', path.join(root, 'n1'), String(megabytes)]);
  const said = () => new Promise((resolve) => child.once('message', resolve));
  const usage = () => {
    const answered = said();
    child.send('usage');
    return answered;
  };
  try {
    const { port } = await said();
    const { identity, snapshots } = await open(path.join(root, 'n2'), 'n2');
    const transport = new WebSocketTransport({ server: createServer(), clock: systemClock });
    const peers = [{ id: 'n1', address: `127.0.0.1:${port}` }];
    const source = transport.snapshotSource(identity, peers, SETTINGS);
    for (let time = 1; time <= times; time += 1) {
      const [own, theirs] = [process.cpuUsage(), await usage()];
      const { size, cameMs, wholeMs } = await fetchOnce({ source, snapshots });
      const cpu = process.cpuUsage(own);
      const sent = await usage();
      const perSecond = (ms) => `${Math.round(size / 1e3 / ms).toLocaleString('en')} MB/s`;
      const cpuOf = ({ user, system }) => perSecond((user + system) / 1e3);
      const senderCpu = { user: sent.cpu.user - theirs.cpu.user, system: sent.cpu.system - theirs.cpu.system };
      process.stdout.write(
        `${Math.round(size / 1e6)} MB: fetched and verified ${perSecond(cameMs)}, durable ${perSecond(wholeMs)}; ` +
          `for each CPU second ${cpuOf(cpu)} here, ${cpuOf(senderCpu)} there; ` +
          `resident ${Math.round(process.memoryUsage().rss / 1e6)} and ${Math.round(sent.rss / 1e6)} MB\n`,
      );
    }
  } finally {
    child.kill();
    rmSync(root, { recursive: true, force: true });
  }
}

const [first, ...others] = process.argv.slice(2);
if (first === 'serve') await serve(others[0], Number(others[1]));
else {
  await measure(Number(first ?? 512), Number(others[0] ?? 3));
  process.exit();
}
