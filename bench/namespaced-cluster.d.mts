import type { ChildProcess } from 'node:child_process';

export interface Answer {
  readonly status: number;
  readonly text: string;
}

export interface AskOptions {
  readonly method?: string;
  /** A body of so many zeros. */
  readonly bytes?: number;
  readonly text?: string;
  readonly timeoutMs?: number;
}

export interface NodeStatus {
  readonly role: string;
  readonly term: number;
  readonly leaderId: string | null;
  readonly commitIndex: number;
  readonly lastApplied: number;
}

export function whyNoNamespaces(): string | undefined;

export class NamespacedCluster {
  readonly ids: readonly string[];
  readonly directory: string;
  peers?: string;
  constructor(options?: {
    count?: number;
    nodeArgs?: (id: string) => readonly string[];
    env?: Readonly<Record<string, string>>;
  });
  addressOf(id: string): string;
  start(): Promise<void>;
  run(id: string): ChildProcess;
  outputOf(id: string): string;
  pidOf(id: string): number;
  signal(id: string, signal: NodeJS.Signals): void;
  cut(from: string, to: string): void;
  isolate(id: string): void;
  heal(): void;
  slow(id: string, bytesPerSecond: number): void;
  bytesTo(id: string): number;
  memoryOf(id: string): number;
  ask(id: string, target: string, options?: AskOptions): Promise<Answer | undefined>;
  status(id: string): Promise<NodeStatus | undefined>;
  leader(among?: readonly string[]): Promise<string>;
  close(): Promise<void>;
}
