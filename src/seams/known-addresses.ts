/**
 * At which IP address each peer's host name was last reached. A node that starts while the name server is silent dials there.
 * It is a hint: who answers there says who it is, and is checked, as everybody is.
 */
export interface KnownAddresses {
  /** Undefined for a name that never led to a peer. */
  addressOf(name: string): string | undefined;
  /** A peer was reached at `address`, which `name` stands for. Never fails: what cannot be kept is noted at the next time. */
  remember(name: string, address: string): void;
}
