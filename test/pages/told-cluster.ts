import { cardOf } from '../../src/pages/dashboard/model/cards.js';
import { ClusterModel } from '../../src/pages/dashboard/model/cluster-model.js';
import type { StreamHello } from '../../src/report/node-report.js';
import { FakeRaft } from './fake-raft.js';
import { metricsOf, reportOf, SETTINGS } from './fake-reports.js';

export const START = 1_800_000_000_000;

/** A cluster whose nodes tell a page, which reads it later than they do by their clocks' differences. */
export class ToldCluster {
  readonly raft = new FakeRaft(['n1', 'n2', 'n3'], { putsPerSecond: 1_000, lagMs: [10, 15, 26] }, [
    { startIndex: 1, term: 6 },
    { startIndex: 900, term: 7 },
  ]);
  readonly model = new ClusterModel(START);
  nowMs = START;

  constructor(readonly aheadMs: Readonly<Record<string, number>> = {}) {
    for (const { id } of this.raft.nodes) this.model.hello(helloOf(id), this.nowMs, id === 'n1');
    this.pass(1_000);
  }

  pass(ms: number, rate = 1_000): void {
    for (let passed = 0; passed < ms; passed += 50) {
      this.nowMs += 50;
      this.raft.pass(50, rate);
      this.tell(rate);
      this.model.tick(this.nowMs);
    }
  }

  tell(rate = 1_000): void {
    for (const node of this.raft.nodes) {
      if (node.absence !== null) continue;
      const atMs = this.nowMs - (this.aheadMs[node.id] ?? 0);
      const report = reportOf(this.raft, node, { atMs, addressOf: (id) => `${id}:1`, rate });
      this.model.report(node.id, report, this.nowMs);
      if (this.nowMs % 1_000 === 0) this.model.metrics(node.id, metricsOf(this.raft, node, atMs, rate), this.nowMs);
    }
  }

  kill(id: string): void {
    this.raft.absent(id, 'killed', this.nowMs);
    this.model.lost(id, null, this.nowMs + 250);
    this.model.tick(this.nowMs);
  }

  get view() {
    return this.model.view(this.nowMs);
  }

  card(id: string) {
    const { view } = this;
    const node = view.nodes.find((one) => one.id === id);
    if (node === undefined) throw new Error(`expected ${id} among the nodes`);
    return cardOf(view, node);
  }
}

export const helloOf = (id: string): StreamHello => ({
  version: 1,
  id,
  clusterId: 'c',
  cluster: null,
  address: `${id}:1`,
  release: '0.1.0',
  startCommand: null,
  settings: SETTINGS,
});
