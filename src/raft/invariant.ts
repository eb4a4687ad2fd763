/** A broken invariant is our own bug: the node halts rather than go on with a state nobody foresaw. */
export class InvariantViolation extends Error {
  override readonly name = 'InvariantViolation';
}

export function invariant(holds: boolean, law: string): asserts holds {
  if (!holds) throw new InvariantViolation(law);
}
