import { execFileSync, fork, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const PROGRAM = path.resolve('dist/src/cli/main.js');
const ASKER = path.resolve('bench/asker.mjs');
let made = 0;

function nextPrefix() {
  made += 1;
  return `qr${process.pid}x${made}`;
}

const run = (command, ...args) => execFileSync(command, args, { stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8' });

/** Why this machine cannot make network namespaces, as a sentence; undefined where it can. */
export function whyNoNamespaces() {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'network namespaces need Linux and root';
  for (const tool of ['ip', 'nft', 'tc']) {
    try {
      run(tool, tool === 'nft' ? '--version' : '-V');
    } catch {
      return `${tool} is missing: install iproute2 and nftables`;
    }
  }
  try {
    run('unshare', '--net', 'true');
  } catch (error) {
    return `unshare --net failed: ${error.message}`;
  }
  return undefined;
}

/**
 * Nodes of one cluster, each a `quorate serve` in a network namespace of its own, on a bridge in one more. Cables can be cut, in
 * one direction or both (`nft drop`), and made slow (`tc`); whoever asks the nodes sits on the bridge and is never cut off.
 */
export class NamespacedCluster {
  ids;
  directory = mkdtempSync(path.join(tmpdir(), 'quorate-namespaces-'));
  #prefix = nextPrefix();
  #nodes = new Map();
  #asker;
  #calls = new Map();
  #call = 0;
  #nodeArgs;
  #env;

  constructor({ count = 3, nodeArgs = () => [], env = {} } = {}) {
    this.ids = Array.from({ length: count }, (_, at) => `n${at + 1}`);
    this.#nodeArgs = nodeArgs;
    this.#env = env;
  }

  addressOf(id) {
    return `10.81.0.${this.ids.indexOf(id) + 1}`;
  }

  #ns(id) {
    return `${this.#prefix}${id}`;
  }

  async start() {
    const hub = this.#ns('hub');
    run('ip', 'netns', 'add', hub);
    run('ip', '-n', hub, 'link', 'set', 'lo', 'up');
    run('ip', '-n', hub, 'link', 'add', 'bridge', 'type', 'bridge');
    run('ip', '-n', hub, 'addr', 'add', '10.81.0.254/24', 'dev', 'bridge');
    run('ip', '-n', hub, 'link', 'set', 'bridge', 'up');
    for (const id of this.ids) {
      const ns = this.#ns(id);
      run('ip', 'netns', 'add', ns);
      run('ip', '-n', ns, 'link', 'set', 'lo', 'up');
      run('ip', '-n', hub, 'link', 'add', id, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', ns);
      run('ip', '-n', hub, 'link', 'set', id, 'master', 'bridge', 'up');
      run('ip', '-n', ns, 'addr', 'add', `${this.addressOf(id)}/24`, 'dev', 'eth0');
      run('ip', '-n', ns, 'link', 'set', 'eth0', 'up');
      run('ip', 'netns', 'exec', ns, 'nft', 'add', 'table', 'inet', 'cuts');
      run('ip', 'netns', 'exec', ns, 'nft', 'add chain inet cuts input { type filter hook input priority 0; }');
    }
    this.#asker = fork(ASKER, [], {
      execPath: 'ip',
      execArgv: ['netns', 'exec', hub, process.execPath],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.#asker.on('message', ({ call, answer }) => {
      this.#calls.get(call)?.(answer);
      this.#calls.delete(call);
    });
    for (const id of this.ids) this.run(id);
  }

  /** Starts a node's process. */
  run(id) {
    const members = this.peers ?? this.ids.map((peer) => `${peer}=${this.addressOf(peer)}:7401`).join(',');
    const serve = ['serve', '--id', id, '--listen', `${this.addressOf(id)}:7401`, '--peers', members, '--insecure'];
    const args = [...this.#nodeArgs(id), PROGRAM, ...serve, '--data', path.join(this.directory, id)];
    const child = spawn('ip', ['netns', 'exec', this.#ns(id), process.execPath, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...this.#env },
    });
    const node = { child, output: '' };
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (node.output += chunk));
    this.#nodes.set(id, node);
    return child;
  }

  /** What a node has said so far. */
  outputOf(id) {
    return this.#nodes.get(id).output;
  }

  pidOf(id) {
    return this.#nodes.get(id).child.pid;
  }

  signal(id, signal) {
    this.#nodes.get(id).child.kill(signal);
  }

  /** Nothing that `from` sends reaches `to` any more. */
  cut(from, to) {
    const rule = `add rule inet cuts input ip saddr ${this.addressOf(from)} drop`;
    run('ip', 'netns', 'exec', this.#ns(to), 'nft', rule);
  }

  isolate(id) {
    for (const other of this.ids.filter((one) => one !== id)) {
      this.cut(id, other);
      this.cut(other, id);
    }
  }

  /** Ends all cuts, of all nodes at about the same time. */
  heal() {
    const flush = (id) => `ip netns exec ${this.#ns(id)} nft flush chain inet cuts input &`;
    run('sh', '-c', `${this.ids.map(flush).join('\n')}\nwait`);
  }

  /** What reaches `id` comes at this speed, through a buffer of 256 KiB. */
  slow(id, bytesPerSecond) {
    const rate = `${Math.round(bytesPerSecond * 8)}bit`;
    const ns = ['netns', 'exec', this.#ns('hub'), 'tc', 'qdisc', 'replace', 'dev', id, 'root'];
    run('ip', ...ns, 'tbf', 'rate', rate, 'burst', '32kb', 'limit', '256kb');
  }

  /** Bytes on the wire to `id` so far, headers and all. */
  bytesTo(id) {
    const text = run('ip', 'netns', 'exec', this.#ns('hub'), 'cat', `/sys/class/net/${id}/statistics/tx_bytes`);
    return Number(text);
  }

  memoryOf(id) {
    const status = readFileSync(`/proc/${this.pidOf(id)}/status`, 'utf8');
    return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) * 1024;
  }

  /** An HTTP request from the bridge: { status, text }, or undefined where none was answered. */
  ask(id, target, { method = 'GET', bytes, text, timeoutMs = 5_000 } = {}) {
    this.#call += 1;
    const call = this.#call;
    const url = `http://${this.addressOf(id)}:7401${target}`;
    return new Promise((resolve) => {
      this.#calls.set(call, resolve);
      this.#asker.send({ call, url, method, bytes, text, timeoutMs });
    });
  }

  async status(id) {
    const answer = await this.ask(id, '/v1/status', { timeoutMs: 1_000 });
    return answer?.status === 200 ? JSON.parse(answer.text) : undefined;
  }

  /** The node that leads and serves, once one does. */
  async leader(among = this.ids) {
    for (;;) {
      for (const id of among) {
        if ((await this.status(id))?.role !== 'leader') continue;
        if ((await this.ask(id, '/health/ready'))?.status === 200) return id;
      }
    }
  }

  async close() {
    this.#asker?.kill('SIGKILL');
    for (const { child } of this.#nodes.values()) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const gone = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await gone;
    }
    for (const id of ['hub', ...this.ids]) {
      try {
        run('ip', 'netns', 'del', this.#ns(id));
      } catch {
        // It was never made.
      }
    }
    rmSync(this.directory, { recursive: true, force: true });
  }
}
