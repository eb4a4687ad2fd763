import { grouped } from '../../../report/phrases.js';
import { keyInWords } from './key-text.js';
import type { Failure } from './kv-client.js';

interface OutcomeProps {
  readonly failure: Failure;
  readonly name: string;
  /** Reads the key again, and shows what it holds now. */
  readonly reread: () => void;
}

/** Tells what became of a change that did not plainly take effect. */
export function Outcome({ failure, name, reread }: OutcomeProps) {
  const { title, text } = wordsOf(failure, name);
  const canReread = failure.kind === 'conflict' || failure.kind === 'unknown';
  return (
    <div class="notice danger" role="alert">
      <strong>{title}</strong> {text}
      {canReread ? (
        <button type="button" class="button" onClick={reread}>
          Show its value now
        </button>
      ) : null}
    </div>
  );
}

function wordsOf(
  { kind, message, revision }: Failure,
  name: string,
): { readonly title: string; readonly text: string } {
  switch (kind) {
    case 'conflict': {
      const key = keyInWords(name);
      const now = revision === null ? `${key} is not there any more` : `${key} is at revision ${grouped(revision)} now`;
      return { title: 'Another write came first. Nothing was written.', text: `${now}.` };
    }
    case 'unknown':
      return {
        title: 'Nobody can say whether it took effect.',
        text: `${message} Look at its value before you write again.`,
      };
    case 'unavailable':
      return { title: 'Nothing was written.', text: message };
    case 'absent':
      return { title: 'There is no such key any more.', text: message };
    case 'refused':
      return { title: 'It was refused. Nothing was written.', text: message };
  }
}
