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

/** The settings that a replica decides by: the four, and features that are switched on beside them. */
export interface ReplicaSettings extends Settings {
  /**
   * Whether a leader may answer reads that ask for it without a round, while its lease holds (`lease.ts`). It must be the same
   * on all nodes. Default: false.
   */
  readonly readLease?: boolean;
  /**
   * From 1 to 10, each node its own: where no leader is heard, a node with a lower one stands later. It decides when a node stands, and
   * nothing else: whom voters elect is decided by what its log holds. Default: 10.
   */
  readonly priority?: number;
}

/** The highest priority, and the default. */
export const TOP_PRIORITY = 10;

export function priorityOf({ priority = TOP_PRIORITY }: ReplicaSettings): number {
  return priority;
}

export const DEFAULT_SETTINGS: Settings = {
  ELECTION_TIMEOUT_MIN: 150,
  ELECTION_TIMEOUT_MAX: 300,
  HEARTBEAT_INTERVAL: 50,
  MAX_MISSED_HEARTBEATS: 3,
};

/** Names the first setting with which a cluster can't work, and what to set it to. Undefined where all of them can. */
export function problemWithSettings(settings: Settings): string | undefined {
  const names = Object.keys(DEFAULT_SETTINGS) as readonly (keyof Settings)[];
  const bad = names.find((name) => !isPositiveWhole(settings[name]));
  if (bad !== undefined)
    return `expected ${bad} to be a whole number from 1 to ${LARGEST}, got ${quoted(settings[bad])}`;
  const { ELECTION_TIMEOUT_MIN: least, ELECTION_TIMEOUT_MAX: most, HEARTBEAT_INTERVAL: beat } = settings;
  if (least > most)
    return `ELECTION_TIMEOUT_MIN (${least}) is over ELECTION_TIMEOUT_MAX (${most}): set it to at most ${most}`;
  if (beat * 3 <= least) return undefined;
  const third = Math.floor(least / 3);
  return `HEARTBEAT_INTERVAL (${beat}) is not well under ELECTION_TIMEOUT_MIN (${least}): set it to at most ${third}, a third of it`;
}

/** As `problemWithSettings`, of a node's priority. */
export function problemWithPriority(priority: unknown): string | undefined {
  if (priority === undefined || (isPositiveWhole(priority) && Number(priority) <= TOP_PRIORITY)) return undefined;
  return `expected priority to be a whole number from 1 to ${TOP_PRIORITY}, got ${quoted(priority)}`;
}

const LARGEST = 2 ** 31 - 1;

const isPositiveWhole = (value: unknown): boolean =>
  Number.isInteger(value) && Number(value) >= 1 && Number(value) <= LARGEST;

/** Text in quotes: "50" is no number. */
const quoted = (value: unknown): string => (typeof value === 'string' ? `"${value}"` : String(value));
