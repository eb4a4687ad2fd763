import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { grouped } from '../../../report/phrases.js';
import { sizeText, startOf } from './bytes.js';
import type { Format } from './draft.js';
import { bestFormat, differenceOf, encoded, FORMATS, shownAs } from './draft.js';
import type { Drafts } from './drafts.js';
import { Editor } from './editor.js';
import { keyInWords, keyText } from './key-text.js';
import type { KeyEntry, KvClient } from './kv-client.js';
import { Question } from './question.js';

export type Opened =
  | { readonly kind: 'entry'; readonly entry: KeyEntry }
  /** A key that is to be made; its name begins with the prefix. */
  | { readonly kind: 'new'; readonly prefix: string };

export interface DetailProps {
  readonly client: KvClient;
  readonly drafts: Drafts;
  readonly opened: Opened | null;
  readonly leader: string | null;
  readonly close: () => void;
  /** Shows an entry in place of the present one. */
  readonly reopen: (entry: KeyEntry) => void;
  /** The keys have changed: they are to be read again. */
  readonly changed: () => void;
}

/** Longer values are shown, but not edited here. */
const MOST_EDITED_BYTES = 256_000;

/** One key: its value as text, JSON or bytes, and what to do with it. */
export function Detail(props: DetailProps) {
  const { opened, close } = props;
  if (opened === null) {
    return (
      <aside class="key-detail" aria-label="Value">
        <p class="nothing">Open a key to see its value.</p>
      </aside>
    );
  }
  return <OpenedKey {...props} opened={opened} close={close} />;
}

function OpenedKey({
  client,
  drafts,
  opened,
  leader,
  close,
  reopen,
  changed,
}: DetailProps & { readonly opened: Opened }) {
  const entry = opened.kind === 'entry' ? opened.entry : null;
  const before = entry?.value ?? null;
  const key = entry?.key ?? null;
  const isTooLong = (before?.length ?? 0) > MOST_EDITED_BYTES;
  // Only where it is another value: the page is drawn several times a second.
  const forms = useMemo(() => (before === null ? null : formsOf(startOf(before, MOST_EDITED_BYTES))), [before]);
  const [draft] = useState(() => drafts.of(key));
  const [name, setName] = useState(draft?.name ?? (opened.kind === 'new' ? opened.prefix : opened.entry.key));
  const [format, setFormat] = useState<Format>(draft?.format ?? forms?.best ?? 'Text');
  const [edited, setEdited] = useState<string | null>(draft?.text ?? (opened.kind === 'new' ? '' : null));
  const revision = useRef(entry?.revision);
  useEffect(() => {
    // Written, or read again: what was edited is what the key holds, or was given up.
    if (revision.current !== entry?.revision) setEdited(null);
    revision.current = entry?.revision;
  }, [entry?.revision]);
  const nameInput = useRef<HTMLInputElement | null>(null);
  useEffect(() => nameInput.current?.focus(), []);
  const shown = forms === null ? '' : forms.texts[format];
  const text = edited ?? shown;
  const change = edited === null ? null : encoded(format, edited, before);
  const difference = useMemo(() => differenceOf(before === null ? null : shown, text ?? ''), [before, shown, text]);
  const isChanged = edited !== null && (before === null || difference.text !== null);
  const isWorthKeeping =
    opened.kind === 'new' ? name !== opened.prefix || (edited ?? '') !== '' : isChanged && edited !== null;
  // Not after the next painting: the page may be left before it.
  useLayoutEffect(() => {
    drafts.keep(key, isWorthKeeping ? { entry, name, format, text: edited ?? '' } : null);
  }, [isWorthKeeping, name, format, edited]);
  const giveUp = (): void => {
    drafts.keep(key, null);
    if (entry === null) close();
    else setEdited(null);
  };
  const show = (next: Format): void => {
    const bytes = edited === null ? null : encoded(format, edited, before).bytes;
    const kept = bytes === null ? null : shownAs(next, bytes);
    // An edit that the other format cannot show would be lost.
    if (edited !== null && kept === null) return;
    setFormat(next);
    setEdited(kept);
  };
  return (
    <aside class="key-detail" aria-label={entry === null ? 'A new key' : `The value of ${keyInWords(entry.key)}`}>
      <header>
        <button type="button" class="plain-button phone-only" onClick={close}>
          ← Keys
        </button>
        <h2 class="mono" title={entry?.key}>
          {entry === null ? 'New key' : shortName(keyText(entry.key))}
        </h2>
        <fieldset class="segments" aria-label="Shown as">
          {FORMATS.map((one) => (
            <button
              key={one}
              type="button"
              aria-pressed={one === format}
              disabled={forms !== null && forms.texts[one] === null}
              onClick={() => show(one)}
            >
              {one}
            </button>
          ))}
        </fieldset>
      </header>
      {entry === null ? (
        <label class="new-name">
          key
          <input
            ref={nameInput}
            class="mono"
            name="key"
            value={name}
            autocomplete="off"
            spellcheck={false}
            onInput={({ currentTarget }) => setName(currentTarget.value)}
          />
        </label>
      ) : (
        <dl class="key-facts">
          <Fact label="revision" value={grouped(entry.revision)} />
          <Fact label="size" value={sizeText(entry.value.length)} />
          <Fact label="sent as" value={isChanged ? sentAs(change, difference.text) : 'not changed'} />
        </dl>
      )}
      <Editor
        text={text ?? ''}
        changed={before === null ? new Set() : difference.lines}
        isJson={format === 'JSON'}
        isReadOnly={isTooLong}
        edit={setEdited}
      />
      {isTooLong ? (
        <p class="nothing">Shown are the first {sizeText(MOST_EDITED_BYTES)}; longer values are not edited here.</p>
      ) : null}
      <Question
        client={client}
        name={name}
        entry={entry}
        change={isChanged ? change : null}
        changedLines={difference.lines.size}
        leader={leader}
        cancel={giveUp}
        outdated={changed}
        written={(written) => {
          drafts.keep(key, null);
          changed();
          if (written === null) close();
          else reopen(written);
        }}
      />
    </aside>
  );
}

interface Forms {
  readonly best: Format;
  /** Null where it cannot be shown so. */
  readonly texts: Readonly<Record<Format, string | null>>;
}

const formsOf = (value: Uint8Array): Forms => ({
  best: bestFormat(value),
  texts: { Text: shownAs('Text', value), JSON: shownAs('JSON', value), Hex: shownAs('Hex', value) },
});

function Fact({ label, value }: { readonly label: string; readonly value: string }) {
  return (
    <div>
      <dt>{label}</dt>
      <dd class="mono">{value}</dd>
    </div>
  );
}

function sentAs(change: ReturnType<typeof encoded> | null, differs: string | null): string {
  if (change === null || change.bytes === null) return '–';
  return [sizeText(change.bytes.length), differs].filter((part) => part !== null).join(', ');
}

const shortName = (key: string): string => (key.includes('/', 1) ? `…/${key.split('/').at(-1) || '/'}` : key);
