/**
 * `npm run bench -- --compare REV`: what a put costs here, beside what it costs at another revision. The measure is the CPU time of all
 * processes, three nodes and their client, for each acknowledged put: it depends far less on what else the machine does than rates do.
 * The clusters take turns, the one that rests is stopped; a turn in which other processes took much is repeated. Ratios are of
 * neighbouring turns, and their median counts.
 */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import readline from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import Table from 'cli-table3';
import { until } from './process.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const LOAD = fileURLToPath(new URL('compare-load.mjs', import.meta.url));
const LEVELS = [1, 64, 256];
const PORTS = { before: 7661, after: 7671 };
/** Compilers take their time: in its first seconds a put costs three times as much. Shares of the warm-up at each level. */
const WARM_UP = [
  [256, 0.5],
  [64, 0.3],
  [1, 0.2],
];
const RAMP_MS = 250;
/** Processes of others may take this share of one core in a turn. */
const MOST_FOREIGN = 0.3;
const MOST_TRIES = 3;
const NS_PER_US = 1_000;

export async function compare(revision, { directory, rounds, seconds, warmUp }) {
  if (!existsSync('/proc/self/schedstat'))
    throw new Error('--compare needs the CPU times of /proc, so it runs on Linux only');
  const roots = { before: builtAt(revision, directory), after: ROOT };
  const clusters = [];
  try {
    for (const [name, root] of Object.entries(roots))
      clusters.push(await start(name, root, path.join(directory, name)));
    for (const cluster of clusters) await warm(cluster, warmUp * 1_000);
    const turns = [];
    for (let round = 0; round < rounds; round += 1) {
      for (const level of LEVELS) {
        for (const cluster of round % 2 === 0 ? clusters : [...clusters].reverse()) {
          const turn = { round, level, name: cluster.name, ...(await quietTurn(cluster, level, seconds * 1_000)) };
          turns.push(turn);
          process.stderr.write(`${JSON.stringify(turn)}\n`);
        }
      }
    }
    return turns;
  } finally {
    for (const cluster of clusters) for (const child of cluster.children) child.kill('SIGKILL');
  }
}

/** One row for each level: CPU of a put before and after, µs, and the median of the paired ratios. */
export function comparisonTable(turns, revision) {
  const table = new Table({
    head: ['puts in flight', `${revision}, µs`, 'here, µs', 'ratio', 'pairs (lowest, highest)'],
  });
  for (const level of LEVELS) {
    const of = (name) => turns.filter((turn) => turn.level === level && turn.name === name);
    const pairs = of('after').map(
      ({ round, usPerPut }) => usPerPut / of('before').find((one) => one.round === round).usPerPut,
    );
    const cost = (name) => median(of(name).map(({ usPerPut }) => usPerPut)).toFixed(1);
    const spread = `${pairs.length} (${Math.min(...pairs).toFixed(2)}, ${Math.max(...pairs).toFixed(2)})`;
    table.push([level, cost('before'), cost('after'), median(pairs).toFixed(3), spread]);
  }
  return table.toString();
}

/** The revision's files in a directory of their own, with what they depend on, built. */
function builtAt(revision, directory) {
  const root = path.join(directory, 'revision');
  mkdirSync(root, { recursive: true });
  const archive = execFileSync('git', ['archive', revision], { cwd: ROOT, maxBuffer: 1 << 30 });
  execFileSync('tar', ['-x'], { cwd: root, input: archive });
  const isSame = (file) => readFileSync(path.join(root, file), 'utf8') === readFileSync(path.join(ROOT, file), 'utf8');
  if (isSame('package-lock.json')) symlinkSync(path.join(ROOT, 'node_modules'), path.join(root, 'node_modules'));
  else execFileSync('npm', ['ci', '--silent'], { cwd: root, stdio: 'inherit' });
  process.stderr.write(`building ${revision}\n`);
  execFileSync('npm', ['run', '--silent', 'build'], { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });
  // The load finds the client by a path that has been the same since the first release.
  if (!existsSync(path.join(root, 'dist/src/client/node.js')))
    throw new Error(`${revision} has no dist/src/client/node.js`);
  return root;
}

async function start(name, root, data) {
  const addresses = [0, 1, 2].map((at) => `127.0.0.1:${PORTS[name] + at}`);
  const peers = addresses.map((address, at) => `n${at + 1}=${address}`).join(',');
  const program = path.join(root, 'dist/src/cli/main.js');
  const children = addresses.map((address, at) => {
    const flags = [
      '--id',
      `n${at + 1}`,
      '--listen',
      address,
      '--peers',
      peers,
      '--data',
      path.join(data, `n${at + 1}`),
    ];
    return spawn(process.execPath, [program, 'serve', ...flags], { stdio: 'ignore' });
  });
  const isReady = (address) =>
    fetch(`http://${address}/health/ready`).then(
      ({ ok }) => ok,
      () => false,
    );
  await until(async () => (await Promise.all(addresses.map(isReady))).every(Boolean));
  const load = spawn(process.execPath, [LOAD, root, addresses.join(',')], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = readline.createInterface({ input: load.stdout })[Symbol.asyncIterator]();
  const heard = async () => JSON.parse((await lines.next()).value);
  await heard();
  const cluster = { name, children: [...children, load], nodes: children, load, heard };
  signal(cluster, 'SIGSTOP');
  return cluster;
}

function signal({ nodes }, name) {
  for (const node of nodes) node.kill(name);
}

async function warm(cluster, ms) {
  for (const [level, share] of WARM_UP) await turn(cluster, level, ms * share);
}

async function quietTurn(cluster, level, ms) {
  let best;
  for (let tried = 0; tried < MOST_TRIES && !(best?.foreign < MOST_FOREIGN); tried += 1) {
    const one = await turn(cluster, level, ms);
    if (best === undefined || one.foreign < best.foreign) best = one;
  }
  return best;
}

async function turn(cluster, level, ms) {
  signal(cluster, 'SIGCONT');
  // The nodes notice that they stood still, and elect again where they must.
  await sleep(500);
  cluster.load.stdin.write(`${level} ${RAMP_MS} ${ms}\n`);
  await cluster.heard();
  const before = [cpuOf(cluster), machineNs(), cpuOfProcess(process.pid)];
  const { puts, failed } = await cluster.heard();
  const [own, machine, here] = [cpuOf(cluster), machineNs(), cpuOfProcess(process.pid)].map(
    (ns, at) => ns - before[at],
  );
  await cluster.heard();
  signal(cluster, 'SIGSTOP');
  return {
    usPerPut: own / puts / NS_PER_US,
    putsPerSecond: Math.round((puts * 1_000) / ms),
    failed,
    foreign: Math.max(0, (machine - own - here) / (ms * 1e6)),
  };
}

const cpuOf = ({ children }) => children.reduce((sum, { pid }) => sum + cpuOfProcess(pid), 0);

/** CPU time that all threads of a process have taken, ns. */
function cpuOfProcess(pid) {
  const threads = `/proc/${pid}/task`;
  return readdirSync(threads).reduce((sum, thread) => {
    const stat = path.join(threads, thread, 'schedstat');
    return existsSync(stat) ? sum + Number(readFileSync(stat, 'utf8').split(' ')[0]) : sum;
  }, 0);
}

/** CPU time that all processes of the machine have taken, ns: user, nice, system and interrupts, counted in hundredths of a second. */
function machineNs() {
  const [user, nice, system, , , irq, softIrq] = readFileSync('/proc/stat', 'utf8')
    .split('\n')[0]
    .split(/\s+/)
    .slice(1)
    .map(Number);
  return (user + nice + system + irq + softIrq) * 1e7;
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
