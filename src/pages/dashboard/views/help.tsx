import type { RefObject } from 'preact';

const KEYS: readonly (readonly [string, string])[] = [
  ['?', 'this list'],
  ['g c', 'the cluster'],
  ['g k', 'keys'],
  ['g m', 'members'],
  ['g i', "this node's inspector"],
  ['f', 'what happened: the next node, or all'],
  ['/', 'keys: type a prefix'],
  ['j k', 'the next and the previous row'],
  ['Enter', 'open the row'],
  ['Esc', 'back'],
  ['n', 'a new key'],
  ['r', 'read the keys again'],
  ['Ctrl Enter', 'confirm a change; ⌘ Enter does, too'],
];

/** The keys of the page, in a dialog that the browser itself closes with Esc. */
export function Help({ dialog }: { readonly dialog: RefObject<HTMLDialogElement | null> }) {
  return (
    <dialog class="help" ref={dialog} aria-labelledby="help-title">
      <h2 id="help-title">Keys</h2>
      <dl>
        {KEYS.map(([key, what]) => (
          <div key={key}>
            <dt>
              {key.split(' ').map((part) => (
                <kbd class="key" key={part}>
                  {part}
                </kbd>
              ))}
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <form method="dialog">
        <button type="submit" class="button">
          Close
        </button>
      </form>
    </dialog>
  );
}
