import type { RandomState } from '../../src/raft/random.js';
import { derive, draw } from '../../src/raft/random.js';
import { VirtualDisk } from '../../src/testing/virtual-disk.js';

/** A virtual disk whose completions wait until a test lets them run, one at a time, in an order drawn from a seed. */
export class SlowDisk extends VirtualDisk {
  readonly #waiting: (() => void)[];
  readonly #random: () => number;

  constructor(seed: number) {
    const waiting: (() => void)[] = [];
    const random = chance(seed);
    super({ schedule: (run) => void waiting.push(run), random });
    this.#waiting = waiting;
    this.#random = random;
  }

  /** False when nothing is under way. */
  step(): boolean {
    const at = Math.floor(this.#random() * this.#waiting.length);
    const [run] = this.#waiting.splice(at, 1);
    run?.();
    return run !== undefined;
  }

  steps(count: number): void {
    for (let done = 0; done < count; done += 1) this.step();
  }

  finishAll(): void {
    while (this.step());
  }
}

export function chance(seed: number): () => number {
  let state: RandomState = derive(seed, 'disk');
  return () => {
    const { value, next } = draw(state);
    state = next;
    return value;
  };
}

/** A virtual disk whose every operation is done when its call returns. */
export function quickDisk(seed = 1): VirtualDisk {
  return new VirtualDisk({ schedule: (run) => run(), random: chance(seed) });
}
