import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { Dashboard } from '../dashboard.js';
import { useHash } from '../hooks.js';
import { useShortcuts } from '../keyboard.js';
import type { ClusterView } from '../model/cluster-view.js';
import type { Opened } from './detail.js';
import { Detail } from './detail.js';
import { KeyList } from './key-list.js';
import type { KeyEntry } from './kv-client.js';
import { KvClient } from './kv-client.js';
import { PrefixTree } from './prefix-tree.js';
import { useKeyList } from './use-key-list.js';

const HASH = 'keys';

/** The prefix is part of the address, so that it can be linked to. */
function prefixOf(hash: string): string {
  try {
    return decodeURIComponent(hash.split('/').slice(1).join('/'));
  } catch {
    return '';
  }
}

/** Browse by prefix, look at a value, and change it. */
export function KeysPage({ dashboard, view }: { readonly dashboard: Dashboard; readonly view: ClusterView }) {
  const prefix = prefixOf(useHash());
  const client = useMemo(
    () =>
      new KvClient(
        () => dashboard.basesOfAnswering(),
        (url, request) => fetch(url, request as RequestInit),
      ),
    [dashboard],
  );
  const list = useKeyList(client, prefix);
  const [opened, setOpened] = useState<Opened | null>(null);
  const [focused, setFocused] = useState(0);
  const input = useRef<HTMLInputElement | null>(null);
  const go = (to: string): void => {
    location.hash = to === '' ? HASH : `${HASH}/${encodeURIComponent(to)}`;
    setFocused(0);
  };
  useEffect(() => setOpened(null), [prefix]);
  const open = (entry: KeyEntry | undefined, at: number): void => {
    setFocused(at);
    // An edit that was begun goes on from what the key held then.
    if (entry !== undefined) setOpened({ kind: 'entry', entry: dashboard.drafts.of(entry.key)?.entry ?? entry });
  };
  const move = (by: number): void => {
    const at = Math.min(Math.max(0, focused + by), list.items.length - 1);
    if (opened === null) setFocused(Math.max(0, at));
    else open(list.items[at], Math.max(0, at));
  };
  useShortcuts({
    '/': () => input.current?.focus(),
    j: () => move(1),
    k: () => move(-1),
    Enter: () => open(list.items[focused], focused),
    Escape: () => setOpened(null),
    n: () => setOpened({ kind: 'new', prefix }),
    r: list.refresh,
  });
  const leader = view.leader?.id ?? null;
  return (
    <main class={opened === null ? 'keys' : 'keys has-opened'}>
      <h1 class="hidden-text">Keys</h1>
      {list.hasNoStore ? <NoStore text={list.failure?.message ?? ''} /> : null}
      <PrefixTree client={client} prefix={prefix} consistency={list.consistency} version={list.version} go={go} />
      <KeyList
        list={list}
        drafts={dashboard.drafts}
        prefix={prefix}
        focused={focused}
        openedKey={opened?.kind === 'entry' ? opened.entry.key : null}
        isAnswered={view.answering > 0}
        input={input}
        go={go}
        open={open}
        create={() => setOpened({ kind: 'new', prefix })}
      />
      <Detail
        key={opened === null ? '' : opened.kind === 'new' ? ' new' : opened.entry.key}
        client={client}
        drafts={dashboard.drafts}
        opened={opened}
        leader={leader}
        close={() => setOpened(null)}
        reopen={(entry) => setOpened({ kind: 'entry', entry })}
        changed={list.refresh}
      />
    </main>
  );
}

function NoStore({ text }: { readonly text: string }) {
  return (
    <p class="notice wait keys-notice">
      <strong>This cluster replicates another service than the key-value store, so there are no keys to browse.</strong>{' '}
      {text}
    </p>
  );
}
