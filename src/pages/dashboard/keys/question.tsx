import { useEffect, useLayoutEffect, useState } from 'preact/hooks';
import { grouped } from '../../../report/phrases.js';
import type { Encoded } from './draft.js';
import { keyInWords } from './key-text.js';
import type { Answer, Failure, KeyEntry, KvClient, WriteCondition } from './kv-client.js';
import { Outcome } from './outcome.js';

export interface QuestionProps {
  readonly client: KvClient;
  readonly name: string;
  /** The entry of the key when it was read; null for a new key. */
  readonly entry: KeyEntry | null;
  /** The value to write; null where nothing is changed. */
  readonly change: Encoded | null;
  /** How many lines of the value differ from what the key holds. */
  readonly changedLines: number;
  readonly leader: string | null;
  readonly cancel: () => void;
  /** A change took effect: the entry as it is now, or null where it is gone. */
  readonly written: (entry: KeyEntry | null) => void;
  /** Another write came first: the list of keys is to be read again. */
  readonly outdated: () => void;
}

/** Asks before anything is changed, naming the revision and what follows. */
export function Question(props: QuestionProps) {
  const { client, name, entry, change, cancel, written, outdated } = props;
  const [isDeleting, setDeleting] = useState(false);
  const [isAnyway, setAnyway] = useState(false);
  const [isBusy, setBusy] = useState(false);
  const [failure, setFailure] = useState<Failure | null>(null);
  useEffect(() => setFailure(null), [entry?.revision, name]);
  const condition = conditionOf(entry, isAnyway);
  const run = async <Value,>(act: Promise<Answer<Value>>, then: (value: Value) => void): Promise<void> => {
    setBusy(true);
    setFailure(null);
    const answer = await act;
    setBusy(false);
    if (answer.ok) return then(answer.value);
    setFailure(answer.failure);
    // The list shows an older entry of this key than was just learned.
    if (answer.failure.kind === 'conflict' || answer.failure.kind === 'absent') outdated();
  };
  const bytes = entry === null && name === '' ? null : (change?.bytes ?? null);
  const write = (): void => {
    if (bytes === null || isBusy) return;
    void run(client.put(name, bytes, condition), (revision) => written({ key: name, revision, value: bytes }));
  };
  const remove = (): void => {
    if (!isBusy) void run(client.delete(name, condition), () => written(null));
  };
  const confirm = isDeleting ? remove : change === null ? null : write;
  useConfirmKey(confirm);
  const back = (): void => {
    setDeleting(false);
    setFailure(null);
    setAnyway(false);
    if (!isDeleting) cancel();
  };
  const reread = (): void => void run(client.get(name), written);
  const outcome = failure === null ? null : <Outcome failure={failure} name={name} reread={reread} />;
  if (confirm === null) {
    return (
      <>
        {outcome}
        <div class="question-idle">
          <button type="button" class="button danger" onClick={() => setDeleting(true)}>
            Delete key…
          </button>
        </div>
      </>
    );
  }
  return (
    <section class="question" aria-label="Confirm">
      <h3>{titleOf(props, isDeleting, isAnyway)}</h3>
      <p>{consequenceOf(props, isDeleting, isAnyway)}</p>
      {entry === null ? null : (
        <label class="anyway">
          <input
            type="checkbox"
            checked={isAnyway}
            onChange={({ currentTarget }) => setAnyway(currentTarget.checked)}
          />
          even if somebody wrote since
        </label>
      )}
      {outcome}
      <div class="question-buttons">
        <button
          type="button"
          class="button primary"
          disabled={isBusy || (!isDeleting && bytes === null)}
          onClick={confirm}
        >
          {isBusy ? 'Waits…' : verbOf(entry, isDeleting, isAnyway)} <kbd class="key">{IS_MAC ? '⌘↵' : 'Ctrl ↵'}</kbd>
        </button>
        <button type="button" class="button" onClick={back}>
          Cancel
        </button>
        {entry === null || isDeleting ? null : (
          <button type="button" class="button danger" onClick={() => setDeleting(true)}>
            Delete key…
          </button>
        )}
      </div>
    </section>
  );
}

const IS_MAC = /Mac|iPhone|iPad/.test(navigator.platform);

/** ⌘ Enter or Ctrl Enter, wherever the focus is. A layout effect: one that waits for the next frame would send what stood before the last letter. */
function useConfirmKey(confirm: (() => void) | null): void {
  useLayoutEffect(() => {
    const press = (event: KeyboardEvent): void => {
      if (event.key !== 'Enter' || !(event.metaKey || event.ctrlKey) || confirm === null) return;
      event.preventDefault();
      confirm();
    };
    addEventListener('keydown', press);
    return () => removeEventListener('keydown', press);
  }, [confirm]);
}

function conditionOf(entry: KeyEntry | null, isAnyway: boolean): WriteCondition {
  if (entry === null) return 'absent';
  return isAnyway ? 'always' : { revision: entry.revision };
}

function titleOf({ entry, name }: QuestionProps, isDeleting: boolean, isAnyway: boolean): string {
  if (entry === null) return name === '' ? 'Which key?' : `Write ${keyInWords(name)} if there is no such key?`;
  const what = isDeleting ? `Delete ${keyInWords(name)}` : 'Write this';
  return isAnyway
    ? `${what}, whatever the key holds by now?`
    : `${what} if nobody wrote since revision ${grouped(entry.revision)}?`;
}

function consequenceOf(
  { entry, change, changedLines, leader }: QuestionProps,
  isDeleting: boolean,
  isAnyway: boolean,
): string {
  if (!isDeleting && change?.fault != null) return `This cannot be sent yet: ${change.fault}.`;
  const what = isDeleting
    ? 'The key is gone for all readers.'
    : entry === null
      ? 'A new key.'
      : changedLines === 1
        ? 'One line changed.'
        : `${grouped(changedLines)} lines changed.`;
  const way = leader === null ? 'Nobody leads now: it waits for a leader.' : `Goes through ${leader}, the leader.`;
  if (entry === null) return `${what} ${way} If the key is there already, nothing happens and you are told.`;
  const race = isAnyway
    ? 'What another wrote in between is lost.'
    : 'If another write came first, nothing happens and you are told.';
  return `${what} ${way} ${race}`;
}

function verbOf(entry: KeyEntry | null, isDeleting: boolean, isAnyway: boolean): string {
  if (isDeleting) return 'Delete';
  return entry === null ? 'Create' : isAnyway ? 'Put' : 'Compare and set';
}
