import type { MemoryNetworkOptions } from '../../transport/memory/transport.js';
import { MemoryNetwork } from '../../transport/memory/transport.js';
import type { NodeId } from '../raft/numbers-and-ids.js';
import { invalid } from './simulation-options.js';

/** The network between the replicas of one simulation, addressed by their ids: an id that no replica has is refused. */
export class SimulatedNetwork extends MemoryNetwork {
  readonly #ids: readonly NodeId[];

  constructor(ids: readonly NodeId[], options: MemoryNetworkOptions) {
    super(options);
    this.#ids = ids;
  }

  override cut(from: NodeId, to: NodeId): void {
    this.#check([from, to]);
    super.cut(from, to);
  }

  /** Cuts `id` off from all others, beside whatever is cut already. */
  isolate(id: NodeId): void {
    this.#check([id]);
    for (const other of this.#ids) {
      if (other === id) continue;
      this.cut(id, other);
      this.cut(other, id);
    }
  }

  /** In place of what was cut before. A replica that is in no group keeps its connections to all. */
  override partition(groups: readonly (readonly NodeId[])[]): void {
    const named = groups.flat();
    this.#check(named);
    const twice = named.find((id, at) => named.indexOf(id) !== at);
    if (twice !== undefined) throw invalid(`expected each replica in one group of the partition, got ${twice} twice`);
    super.partition(groups);
  }

  override crash(id: NodeId): void {
    this.#check([id]);
    super.crash(id);
  }

  #check(ids: readonly NodeId[]): void {
    const unknown = ids.find((id) => !this.#ids.includes(id));
    if (unknown !== undefined) throw noSuchReplica(unknown, this.#ids);
  }
}

export function noSuchReplica(id: unknown, ids: readonly NodeId[]): Error {
  return invalid(`there is no replica ${String(id)}: this simulation has ${ids.join(', ')}`);
}
