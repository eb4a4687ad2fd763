/** A binary heap of numbers, each with a cost; the cheapest comes out first. In typed arrays, because the router takes millions. */
export class CostHeap {
  #costs = new Float64Array(1 << 14);
  #values = new Int32Array(1 << 14);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  clear(): void {
    this.#length = 0;
  }

  push(value: number, cost: number): void {
    if (this.#length === this.#values.length) this.#grow();
    let at = this.#length;
    this.#length += 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if ((this.#costs[parent] as number) <= cost) break;
      this.#move(parent, at);
      at = parent;
    }
    this.#costs[at] = cost;
    this.#values[at] = value;
  }

  /** The cheapest value; call it only while `length` is above 0. */
  pop(): number {
    const first = this.#values[0] as number;
    this.#length -= 1;
    const cost = this.#costs[this.#length] as number;
    const value = this.#values[this.#length] as number;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= this.#length) break;
      if (child + 1 < this.#length && (this.#costs[child + 1] as number) < (this.#costs[child] as number)) child += 1;
      if ((this.#costs[child] as number) >= cost) break;
      this.#move(child, at);
      at = child;
    }
    this.#costs[at] = cost;
    this.#values[at] = value;
    return first;
  }

  #move(from: number, to: number): void {
    this.#costs[to] = this.#costs[from] as number;
    this.#values[to] = this.#values[from] as number;
  }

  #grow(): void {
    const costs = new Float64Array(this.#costs.length * 2);
    const values = new Int32Array(this.#values.length * 2);
    costs.set(this.#costs);
    values.set(this.#values);
    this.#costs = costs;
    this.#values = values;
  }
}
