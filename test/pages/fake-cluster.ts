import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { sendAsset, sendPage } from '../../src/http/pages.js';
import type { NodeNotice } from '../../src/raft/effects.js';
import type { NodeId } from '../../src/raft/numbers-and-ids.js';
import type { EventStream, NodeNews } from '../../src/report/node-report.js';
import { EVENTS_VERSION } from '../../src/report/node-report.js';
import { installWords } from '../../src/report/snapshot-words.js';
import { FakeKeys } from './fake-keys.js';
import type { FakeNode, Load } from './fake-raft.js';
import { FakeRaft } from './fake-raft.js';
import { metricsOf, reportOf, SETTINGS } from './fake-reports.js';

interface Place {
  readonly server: Server;
  readonly port: number;
  readonly streams: Set<ServerResponse>;
  sequence: number;
  news: NodeNews[];
}

const LOAD: Load = { putsPerSecond: 400, lagMs: [10, 15, 26, 12, 18, 30, 9] };
const STEP_MS = 50;
const REPORT_EVERY_STEPS = 2;
const METRICS_EVERY_STEPS = 20;
const ELECTION_AFTER_MS = 212;

/** Nodes that serve the dashboard and stream made-up reports of a cluster that obeys Raft, each on a port of its own. */
export class FakeCluster {
  readonly raft: FakeRaft;
  readonly keys = new FakeKeys();
  readonly #places = new Map<string, Place>();
  readonly #hidden = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #election: NodeJS.Timeout | undefined;
  #steps = 0;
  #bytesAStep = 0;

  private constructor(nodes: number) {
    const ids = Array.from({ length: nodes }, (_, at) => `n${at + 1}`);
    this.raft = new FakeRaft(ids, LOAD, [{ startIndex: 1, term: 1 }]);
  }

  static async open({ nodes }: { readonly nodes: number }): Promise<FakeCluster> {
    const cluster = new FakeCluster(nodes);
    for (const { id } of cluster.raft.nodes) await cluster.#listen(id, 0);
    cluster.#timer = setInterval(() => cluster.#step(), STEP_MS);
    return cluster;
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    clearTimeout(this.#election);
    for (const { id } of this.raft.nodes) await this.#stopListening(id);
  }

  url(id: string): string {
    return `http://${this.address(id)}/`;
  }

  address(id: string): string {
    return `127.0.0.1:${this.#place(id).port}`;
  }

  /** As `kill -9` does: connections end, and new ones are refused. Where it led, the first of the others is elected a moment later. */
  async kill(id: string): Promise<void> {
    const wasLeader = this.raft.leader?.id === id;
    this.raft.absent(id, 'killed', Date.now());
    await this.#stopListening(id);
    for (const { id: other } of this.raft.present) {
      this.tell(other, 'link.changed', 'neutral', `The link to ${id} broke: connection reset.`);
    }
    if (wasLeader && this.raft.present.length >= this.raft.majority) {
      this.#election = setTimeout(() => this.#electSomebody(), ELECTION_AFTER_MS);
    }
  }

  /** As `kill -STOP` does: connections stay, and nothing comes. */
  freeze(id: string): void {
    this.raft.absent(id, 'frozen', Date.now());
    const { leader } = this.raft;
    if (leader !== undefined) this.tell(leader.id, 'peer.changed', 'danger', `${id} is down: 3 heartbeats unanswered.`);
  }

  /** The page hears nothing of it any more, and its peers do. */
  hide(id: string): void {
    this.#hidden.add(id);
  }

  async revive(id: string): Promise<void> {
    const place = this.#place(id);
    if (!place.server.listening) await this.#listen(id, place.port);
    this.raft.returned(id);
    this.tell(
      id,
      'node.recovered',
      'neutral',
      `${id} listens for a leader. Its log holds ${this.raft.node(id).last} entries.`,
    );
    const { leader } = this.raft;
    if (leader !== undefined) this.tell(leader.id, 'peer.changed', 'accent', `${id} is back: it answers again.`);
  }

  stand(id: string): FakeNode {
    const node = this.raft.stands(id);
    this.tell(
      id,
      'election.started',
      'wait',
      `${id} stood for election in term ${node.term}: nothing from its leader for 212 ms, 4 heartbeats missed.`,
    );
    return node;
  }

  /** The leader sends a snapshot, of which `bytesPerSecond` arrive. */
  install(id: string, ofBytes: number, bytesPerSecond: number): void {
    const from = this.raft.leader?.id ?? '';
    this.raft.receives(id, { from, index: this.raft.node(from).applied, bytes: 0, ofBytes });
    this.#bytesAStep = (bytesPerSecond * STEP_MS) / 1_000;
    for (const [teller, notice] of [
      [from, { type: 'snapshot.offered', peer: id, bytes: ofBytes }],
      [id, { type: 'install.began', from, bytes: ofBytes }],
    ] as const) {
      const words = installWords(teller as NodeId, notice as unknown as NodeNotice);
      if (words !== undefined) this.tell(teller, notice.type, words.tone, words.text);
    }
  }

  #receive(): void {
    for (const node of this.raft.nodes) {
      const { receiving } = node;
      if (receiving === null) continue;
      node.receiving = { ...receiving, bytes: Math.min(receiving.ofBytes, receiving.bytes + this.#bytesAStep) };
    }
  }

  /** A whole election, which `id` wins. */
  elect(id: string): void {
    const { term } = this.stand(id);
    const node = this.raft.wins(id);
    this.tell(
      id,
      'role.changed',
      'accent',
      `${id} leads in term ${term} with the votes of ${this.raft.present.map((one) => one.id).join(' and ')}. The election took 9 ms.`,
    );
    node.state = 'active.leader.serving';
    this.tell(id, 'leader.serving', 'accent', `${id} serves: the first entry of term ${term} is on a majority.`);
    this.#sendAll('report');
  }

  /** News of a node; `agoMs` for what happened before. */
  tell(id: string, event: string, tone: NodeNews['tone'], text: string, agoMs = 0): void {
    const place = this.#place(id);
    place.sequence += 1;
    const { term } = this.raft.node(id);
    const news = { sequence: place.sequence, atMs: Date.now() - agoMs, event, term, tone, text, details: {} };
    place.news = [...place.news, news].slice(-200);
    for (const stream of place.streams) send(stream, 'news', news);
  }

  #electSomebody(): void {
    const [first] = this.raft.present;
    if (first !== undefined && this.raft.leader === undefined && this.raft.present.length >= this.raft.majority) {
      this.elect(first.id);
    }
  }

  #step(): void {
    this.#steps += 1;
    const rate = rateAt(Date.now());
    this.raft.pass(STEP_MS, rate);
    this.#receive();
    if (this.#steps % REPORT_EVERY_STEPS === 0) this.#sendAll('report');
    if (this.#steps % METRICS_EVERY_STEPS === 0) this.#sendAll('metrics');
  }

  #sendAll(what: 'report' | 'metrics'): void {
    for (const node of this.raft.nodes) {
      if (node.absence !== null || this.#hidden.has(node.id)) continue;
      for (const stream of this.#place(node.id).streams) send(stream, what, this.#message(what, node, Date.now()));
    }
  }

  #message(what: 'report' | 'metrics', node: FakeNode, atMs: number) {
    const addressOf = (id: string): string => this.address(id);
    if (what === 'report') return reportOf(this.raft, node, { atMs, addressOf, rate: rateAt(atMs) });
    return metricsOf(this.raft, node, atMs, rateAt(atMs));
  }

  #place(id: string): Place {
    const place = this.#places.get(id);
    if (place === undefined) throw new Error(`expected a node of the fake, got ${id}`);
    return place;
  }

  async #listen(id: string, port: number): Promise<void> {
    const server = createServer((message, response) => this.#answer(id, message, response));
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    const before = this.#places.get(id);
    const { port: listening } = server.address() as AddressInfo;
    this.#places.set(id, { server, port: listening, streams: new Set(), sequence: 0, news: before?.news ?? [] });
  }

  async #stopListening(id: string): Promise<void> {
    const { server, streams } = this.#place(id);
    for (const stream of streams) stream.destroy();
    streams.clear();
    if (!server.listening) return;
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }

  #answer(id: string, message: IncomingMessage, response: ServerResponse): void {
    const { pathname } = new URL(message.url ?? '/', 'http://fake');
    const { origin } = message.headers;
    if (origin !== undefined) response.setHeader('Access-Control-Allow-Origin', origin);
    if (message.method === 'OPTIONS') {
      response.setHeader('Access-Control-Allow-Methods', 'GET, PUT, DELETE');
      response.setHeader('Access-Control-Allow-Headers', 'X-Quorate-Page, If-Match, If-None-Match');
      return void response.writeHead(204).end();
    }
    if (pathname === '/v1/events') return this.#stream(id, response);
    if (pathname.startsWith('/v1/kv')) return void this.keys.answer(message, response);
    const others = this.raft.nodes.filter((node) => node.id !== id).map((node) => this.address(node.id));
    if (pathname === '/') return sendPage('dashboard', { servedBy: 'node', others }, message, response);
    if (pathname.startsWith('/assets/')) return sendAsset(pathname.slice('/assets/'.length), message, response);
    response.writeHead(404).end();
  }

  #stream(id: string, response: ServerResponse): void {
    const { streams, news } = this.#place(id);
    const node = this.raft.node(id);
    response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
    streams.add(response);
    response.once('close', () => streams.delete(response));
    const peers = this.raft.nodes.map((one) => `${one.id}=${this.address(one.id)}`).join(',');
    send(response, 'hello', {
      version: EVENTS_VERSION,
      id,
      clusterId: 'fake',
      cluster: 'orders',
      address: this.address(id),
      release: '0.1.0',
      startCommand: `node dist/src/cli/main.js serve --id ${id} --listen ${this.address(id)} --peers ${peers} --data .quorate/${id}`,
      settings: SETTINGS,
    });
    if (node.absence !== null) return;
    send(response, 'report', this.#message('report', node, Date.now()));
    for (const one of news) send(response, 'news', one);
  }
}

/** Proposed commands a second, waving a little. */
const rateAt = (atMs: number): number => LOAD.putsPerSecond * (1 + Math.sin(atMs / 8_000) / 20);

function send(stream: ServerResponse, name: keyof EventStream, message: unknown): void {
  stream.write(`event: ${name}\ndata: ${JSON.stringify(message)}\n\n`);
}
