export interface ScenarioResult {
  readonly scenario: string;
  readonly place: 'simulator' | 'processes';
  readonly runs: number;
  /** How many writes were acknowledged in all runs, and how many of them are missing at any node. */
  readonly acknowledged: number;
  readonly lost: number;
  /** In words: starts on damaged files that were refused, and those that were not, which lost nothing. */
  readonly refused: readonly string[];
  readonly started: readonly string[];
  /** So much that was written and not synced is gone by power cuts. */
  readonly lostBytes: number;
  /** Promises that were broken. */
  readonly problems: readonly string[];
}
