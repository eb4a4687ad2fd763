import type { Role } from '../raft/notices.js';

/** What the HTTP interface needs of a node. */
export interface ServedNode {
  readonly address: string;
  readonly state: { readonly role: Role; readonly peers: Readonly<Record<string, { readonly address: string }>> };
  /** Looked at only to see whether the key-value endpoints make sense. */
  readonly stateMachine: unknown;
  status(): object;
  whyNotReady(): string | undefined;
  propose(command: never, options: CallLimits): Promise<unknown>;
  read(
    query: (stateMachine: never) => unknown,
    options: CallLimits & { consistency: 'linearizable' | 'stale' },
  ): Promise<unknown>;
}

export interface CallLimits {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}
