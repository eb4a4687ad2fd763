interface EditorProps {
  readonly text: string;
  /** Lines that differ from what the key holds. */
  readonly changed: ReadonlySet<number>;
  readonly isJson: boolean;
  readonly isReadOnly: boolean;
  readonly edit: (text: string) => void;
}

/** Longer texts have no colours: the browser would take long to lay them out. */
const MOST_COLOURED = 40_000;

/** A text field over the same text with marks: changed lines, and the keys of JSON in grey. */
export function Editor({ text, changed, isJson, isReadOnly, edit }: EditorProps) {
  const isMarked = text.length <= MOST_COLOURED;
  return (
    <div class={isMarked ? 'editor marked' : 'editor'}>
      <pre class="mono" aria-hidden="true">
        {isMarked
          ? text.split('\n').map((line, at) => (
              <span key={at} class={changed.has(at) ? 'line changed' : 'line'}>
                {isJson ? coloured(line) : line}
                {'\n'}
              </span>
            ))
          : text}
      </pre>
      <textarea
        class="mono"
        aria-label="Value"
        spellcheck={false}
        readOnly={isReadOnly}
        value={text}
        onInput={({ currentTarget }) => edit(currentTarget.value)}
      />
    </div>
  );
}

/** Keys and punctuation of JSON are of less weight than values. */
const coloured = (line: string) =>
  line.split(/("(?:[^"\\]|\\.)*"(?=\s*:):?)/g).map((part, at) => (at % 2 === 1 ? <i key={at}>{part}</i> : part));
