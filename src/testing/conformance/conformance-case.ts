/** One thing that an implementation of a seam must do, for any test framework: `for (const { name, run } of cases) test(name, run)`. */
export interface ConformanceCase {
  readonly name: string;
  /** Rejects with a `ConformanceFailure` that says what was expected and what came, or with what the implementation threw. */
  run(): Promise<void>;
}

/** The implementation does not do what its seam promises. */
export class ConformanceFailure extends Error {
  override readonly name = 'ConformanceFailure';
}

/** Cases by their names. Each is handed `Given`: a fresh place, made for this case alone. */
export type Checks<Given> = Readonly<Record<string, (given: Given) => void | Promise<void>>>;

/** `around` makes what a case needs, runs it, and clears up whatever comes of it. */
export function casesOf<Given>(
  checks: Checks<Given>,
  around: (check: (given: Given) => void | Promise<void>) => Promise<void>,
): readonly ConformanceCase[] {
  return Object.entries(checks).map(([name, check]) => ({ name, run: () => around(check) }));
}
