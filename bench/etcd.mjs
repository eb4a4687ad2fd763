/**
 * etcd beside us: three processes on the same file system, every write synced, and load by its own Go client.
 * Debian: apt-get install etcd-server etcd-client golang-go golang-etcd-server-dev
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { capture, until } from './process.mjs';

const IDS = [1, 2, 3];
const peerUrl = (id) => `http://127.0.0.1:${7660 + id}`;
const clientUrl = (id) => `http://127.0.0.1:${7670 + id}`;

export function buildEtcdLoad(directory) {
  const binary = path.join(directory, 'etcd-load');
  const source = fileURLToPath(new URL('etcd-load.go', import.meta.url));
  const env = { ...process.env, GOPATH: '/usr/share/gocode', GO111MODULE: 'off' };
  execFileSync('go', ['build', '-o', binary, source], { env, stdio: 'inherit' });
  return binary;
}

export async function startEtcd(directory, load) {
  const data = path.join(directory, 'etcd');
  rmSync(data, { recursive: true, force: true });
  mkdirSync(data, { recursive: true });
  const cluster = IDS.map((id) => `n${id}=${peerUrl(id)}`).join(',');
  const children = IDS.map((id) =>
    spawn(
      'etcd',
      [
        ...['--name', `n${id}`, '--data-dir', path.join(data, `n${id}`), '--log-level', 'error'],
        ...['--listen-peer-urls', peerUrl(id), '--initial-advertise-peer-urls', peerUrl(id)],
        ...['--listen-client-urls', clientUrl(id), '--advertise-client-urls', clientUrl(id)],
        ...['--initial-cluster', cluster, '--initial-cluster-state', 'new', '--quota-backend-bytes', '8000000000'],
      ],
      { stdio: 'ignore' },
    ),
  );
  const status = () =>
    JSON.parse(
      execFileSync('etcdctl', ['--endpoints', IDS.map(clientUrl).join(','), '-w', 'json', 'endpoint', 'status'], {
        env: { ...process.env, ETCDCTL_API: '3' },
        stdio: ['ignore', 'pipe', 'ignore'],
      }).toString(),
    );
  let leader;
  await until(() => {
    try {
      leader = status().find(({ Status }) => Status.leader === Status.header.member_id)?.Endpoint;
    } catch {
      // Not all of them answer yet.
    }
    return leader !== undefined;
  });
  return {
    name: 'etcd',
    load: ({ op, inFlight, size, seconds, warmUp }) => {
      const flags = { endpoint: leader, op, inflight: inFlight, size, seconds, warmup: warmUp };
      return capture(
        load,
        Object.entries(flags).map(([name, value]) => `-${name}=${value}`),
      );
    },
    stop: async () => {
      const closed = children.map((child) => once(child, 'close'));
      for (const child of children) child.kill('SIGTERM');
      await Promise.all(closed);
      rmSync(data, { recursive: true, force: true });
    },
  };
}
