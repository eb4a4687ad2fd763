import type { RefObject } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { grouped } from '../../../report/phrases.js';
import { preview, sizeText } from './bytes.js';
import type { Drafts } from './drafts.js';
import { keyInWords, keyText } from './key-text.js';
import type { KeyEntry } from './kv-client.js';
import type { KeyListState } from './use-key-list.js';

interface KeyListProps {
  readonly list: KeyListState;
  readonly drafts: Drafts;
  readonly prefix: string;
  readonly focused: number;
  readonly openedKey: string | null;
  /** Whether any node answers this page: then it can show at least what it holds itself. */
  readonly isAnswered: boolean;
  readonly input: RefObject<HTMLInputElement | null>;
  readonly go: (prefix: string) => void;
  readonly open: (entry: KeyEntry, at: number) => void;
  readonly create: () => void;
}

/** The keys with a prefix: key, value, size and revision. */
export function KeyList(props: KeyListProps) {
  const { list, drafts, prefix, focused, openedKey, isAnswered, input, go, open, create } = props;
  const [typed, setTyped] = useState(prefix);
  useEffect(() => setTyped(prefix), [prefix]);
  return (
    <section class="key-list" aria-label="Keys">
      <header>
        <form
          class="prefix-field"
          onSubmit={(event) => {
            event.preventDefault();
            go(typed);
            input.current?.blur();
          }}
        >
          <input
            ref={input}
            name="prefix"
            class="mono"
            aria-label="Prefix"
            placeholder="prefix"
            autocomplete="off"
            spellcheck={false}
            value={typed}
            onInput={({ currentTarget }) => setTyped(currentTarget.value)}
            onKeyDown={({ key, currentTarget }) => key === 'Escape' && currentTarget.blur()}
          />
          <span class="key" aria-hidden="true">
            /
          </span>
        </form>
        <button type="button" class="button new-key" onClick={create}>
          New key <kbd class="key">n</kbd>
        </button>
      </header>
      <div class="key-rows">
        <table>
          <thead>
            <tr>
              <th scope="col">key</th>
              <th scope="col">value</th>
              <th scope="col">size</th>
              <th scope="col">revision</th>
            </tr>
          </thead>
          <tbody>
            {list.items.map((entry, at) => (
              <Row
                key={entry.key}
                entry={entry}
                isEdited={drafts.of(entry.key) !== null}
                isOpened={entry.key === openedKey}
                isFocused={at === focused}
                open={() => open(entry, at)}
              />
            ))}
          </tbody>
        </table>
        <Foot list={list} prefix={prefix} isAnswered={isAnswered} />
      </div>
    </section>
  );
}

interface RowProps {
  readonly entry: KeyEntry;
  /** It has an edit that was not sent. */
  readonly isEdited: boolean;
  readonly isOpened: boolean;
  readonly isFocused: boolean;
  readonly open: () => void;
}

function Row({ entry: { key, value, revision }, isEdited, isOpened, isFocused, open }: RowProps) {
  return (
    <tr class={`${isOpened ? 'opened' : ''} ${isFocused ? 'focused' : ''}`} data-key={key}>
      <td>
        <button type="button" class="key-name" aria-pressed={isOpened} onClick={open}>
          <span class="key-text">{keyText(key)}</span>
          {isEdited ? <span class="edited">not sent</span> : null}
        </button>
      </td>
      <td>{preview(value)}</td>
      <td>{sizeText(value.length)}</td>
      <td>{grouped(revision)}</td>
    </tr>
  );
}

function Foot({ list, prefix, isAnswered }: Pick<KeyListProps, 'list' | 'prefix' | 'isAnswered'>) {
  const { revision, hasMore, failure, isLoading, consistency, refresh, more, readStale, hasNoStore } = list;
  if (hasNoStore) return null;
  if (failure !== null) {
    return (
      <p class="notice danger" role="alert">
        <strong>{failure.kind === 'unavailable' ? 'The keys cannot be read now.' : 'Reading was refused.'}</strong>{' '}
        {failure.message}{' '}
        <button type="button" class="button" onClick={refresh}>
          Try again
        </button>{' '}
        {failure.kind === 'unavailable' && isAnswered ? (
          <button type="button" class="button" onClick={readStale}>
            Show what one node holds
          </button>
        ) : null}
      </p>
    );
  }
  if (revision === null) return <p class="key-foot">{isLoading ? 'reads…' : ''}</p>;
  const sure = consistency === 'stale' ? 'as one node holds it, which may be old' : 'confirmed by a majority';
  return (
    <p class="key-foot">
      {countText(list, prefix)} · read at revision {grouped(revision)}, {sure} · refreshed when you ask{' '}
      <button type="button" class="key" onClick={refresh} aria-label="Read the keys again">
        r
      </button>{' '}
      {hasMore ? (
        <button type="button" class="button" onClick={more} disabled={isLoading}>
          More
        </button>
      ) : null}
    </p>
  );
}

function countText({ items, hasMore }: KeyListState, prefix: string): string {
  if (items.length > 0)
    return `${hasMore ? 'the first ' : ''}${grouped(items.length)} ${items.length === 1 ? 'key' : 'keys'}`;
  return prefix === '' ? 'There is no key yet' : `No key begins with “${keyInWords(prefix)}”`;
}
