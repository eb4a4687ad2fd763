import { useEffect, useRef, useState } from 'preact/hooks';
import type { Consistency, Failure, KeyEntry, KvClient } from './kv-client.js';

const PAGE_SIZE = 100;

export interface KeyListState {
  readonly items: readonly KeyEntry[];
  /** The store's revision when the list was read; null before that. */
  readonly revision: number | null;
  readonly hasMore: boolean;
  readonly isLoading: boolean;
  readonly failure: Failure | null;
  readonly hasNoStore: boolean;
  readonly consistency: Consistency;
  /** Counts the readings: what depends on the keys reads anew, too. */
  readonly version: number;
  readonly refresh: () => void;
  readonly more: () => void;
  /** Reads what the node holds, without asking a majority. */
  readonly readStale: () => void;
}

interface Loaded {
  readonly items: readonly KeyEntry[];
  readonly revision: number | null;
  readonly next: string | null;
  readonly failure: Failure | null;
  readonly isLoading: boolean;
}

const NOTHING: Loaded = { items: [], revision: null, next: null, failure: null, isLoading: true };

/** The keys with a prefix, read when it changes and when somebody asks. */
export function useKeyList(client: KvClient, prefix: string): KeyListState {
  const [loaded, setLoaded] = useState<Loaded>(NOTHING);
  const [version, setVersion] = useState(1);
  const [consistency, setConsistency] = useState<Consistency>('linearizable');
  const readAgain = (how: Consistency): void => {
    setConsistency(how);
    setVersion((old) => old + 1);
  };
  const latest = useRef(0);
  const load = async (after: string | null, before: readonly KeyEntry[]): Promise<void> => {
    latest.current += 1;
    const current = latest.current;
    setLoaded((old) => ({ ...old, isLoading: true }));
    const answer = await client.list(prefix, after, PAGE_SIZE, consistency);
    // Another prefix was asked for since.
    if (current !== latest.current) return;
    if (!answer.ok) return setLoaded((old) => ({ ...old, items: before, failure: answer.failure, isLoading: false }));
    const { items, revision, next } = answer.value;
    setLoaded({ items: [...before, ...items], revision, next, failure: null, isLoading: false });
  };
  useEffect(() => {
    setLoaded(NOTHING);
  }, [prefix]);
  useEffect(() => void load(null, []), [prefix, version, consistency]);
  return {
    items: loaded.items,
    revision: loaded.revision,
    hasMore: loaded.next !== null,
    isLoading: loaded.isLoading,
    failure: loaded.failure,
    hasNoStore: loaded.failure?.kind === 'absent',
    consistency,
    version,
    refresh: () => readAgain('linearizable'),
    more: () => void load(loaded.next, loaded.items),
    readStale: () => readAgain('stale'),
  };
}
