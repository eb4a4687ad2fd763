import { useEffect, useRef } from 'preact/hooks';

const KEYS: readonly (readonly [string, string])[] = [
  ['j k', 'next and previous row'],
  ['Enter', 'open the row: payload, or the actor’s chart'],
  ['Esc', 'back: close, clear the filter, return to live'],
  ['/', 'filter actors'],
  ['f', 'filter events'],
  ['[ ]', 'parent and first child of the actor'],
  [', .', 'one event back and forward'],
  ['p', 'pause, and go on'],
  ['l', 'live'],
  ['0', 'fit the chart; again: back to reading size'],
  ['+ −', 'larger and smaller'],
  ['← ↑ → ↓', 'move the chart, while it has the focus'],
  ['z', 'hide the columns at both sides'],
  ['g then c k m i', 'cluster, keys, members, inspector'],
  ['?', 'this list'],
];

/** The list of keys and what they do. */
export function Help({ close }: { readonly close: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog class="help" ref={dialog} onClose={close} aria-label="Keys">
      <header>
        <h2>Keys</h2>
        <button type="button" class="button small" onClick={close}>
          Close
        </button>
      </header>
      <dl>
        {KEYS.map(([keys, meaning]) => (
          <div key={keys}>
            <dt>{keys.split(' ').map((key) => (key === 'then' ? ' then ' : <kbd class="key">{key}</kbd>))}</dt>
            <dd>{meaning}</dd>
          </div>
        ))}
      </dl>
      <p>The wheel moves the chart, with Ctrl it scales it; over the time bar it shows more or less time.</p>
    </dialog>
  );
}
