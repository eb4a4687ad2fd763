import type { NodeId } from '../raft/numbers-and-ids.js';
import { valueFor } from '../raft/numbers-and-ids.js';
import type { ReplicaState } from '../raft/replica-state.js';
import type { Clock } from '../seams/clock.js';
import type { Told } from './words.js';
import { TRAILS_BY, trailing } from './words.js';

const LOOK_EVERY_MS = 1_000;

/**
 * Looks once a second, at a leader, which of its peers trail. A change is told when it was seen twice, so that a busy second is
 * no news; of a peer that is down, that alone is told.
 */
export class TrailWatch {
  readonly #clock: Clock;
  readonly #tell: (told: Told) => void;
  #leader: { readonly state: ReplicaState } | undefined;
  #timer: unknown;
  readonly #trails = new Map<NodeId, boolean>();
  readonly #seen = new Map<NodeId, boolean>();

  constructor(clock: Clock, tell: (told: Told) => void) {
    this.#clock = clock;
    this.#tell = tell;
  }

  /** Undefined where this node does not lead. */
  follow(leader: { readonly state: ReplicaState } | undefined): void {
    this.#leader = leader;
    this.#clock.clearTimeout(this.#timer);
    this.#trails.clear();
    this.#seen.clear();
    if (leader !== undefined) this.#lookLater();
  }

  #lookLater(): void {
    this.#timer = this.#clock.setTimeout(() => {
      this.#lookLater();
      if (this.#leader !== undefined) this.#look(this.#leader.state);
    }, LOOK_EVERY_MS);
  }

  #look({ peers, matchIndex, log, term }: ReplicaState): void {
    for (const { id, status } of Object.values(peers)) {
      const by = log.lastIndex - (valueFor(matchIndex, id) ?? 0);
      const trails = by > TRAILS_BY;
      const isSeenAgain = this.#seen.get(id) === trails;
      this.#seen.set(id, trails);
      if (status === 'down' || !isSeenAgain || trails === (this.#trails.get(id) ?? false)) continue;
      this.#trails.set(id, trails);
      this.#tell(trailing(term, id, trails, by));
    }
  }
}
