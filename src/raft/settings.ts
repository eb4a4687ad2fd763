/** The four settings that shape elections and liveness, under the names that environment variables have too. */
export interface Settings {
  /** Shortest silence after which a follower stands for election, ms. */
  readonly ELECTION_TIMEOUT_MIN: number;
  /** Longest, ms. The wider the range, the rarer split votes (§9.3). */
  readonly ELECTION_TIMEOUT_MAX: number;
  /** Time between a leader's heartbeats, ms. At most a third of ELECTION_TIMEOUT_MIN, so that one lost packet never starts an election. */
  readonly HEARTBEAT_INTERVAL: number;
  /** Heartbeats in a row that a peer leaves unanswered before it counts as down. */
  readonly MAX_MISSED_HEARTBEATS: number;
}

export const DEFAULT_SETTINGS: Settings = {
  ELECTION_TIMEOUT_MIN: 150,
  ELECTION_TIMEOUT_MAX: 300,
  HEARTBEAT_INTERVAL: 50,
  MAX_MISSED_HEARTBEATS: 3,
};
