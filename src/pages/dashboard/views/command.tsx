import { useRef, useState } from 'preact/hooks';

const SHOWN_AS_COPIED_MS = 2_000;

/** The shell command that starts a node again, with a button that copies it. */
export function Command({ text, starts }: { readonly text: string; readonly starts: string }) {
  const [isCopied, setCopied] = useState(false);
  const code = useRef<HTMLElement | null>(null);
  const copy = async (): Promise<void> => {
    if (!(await copied(text, code.current))) return;
    setCopied(true);
    setTimeout(() => setCopied(false), SHOWN_AS_COPIED_MS);
  };
  return (
    <figure class="command">
      <figcaption>Start {starts} again:</figcaption>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a command that is longer than its room is scrolled by keyboard, too */}
      <code ref={code} tabIndex={0}>
        {text}
      </code>
      <button type="button" class="button" onClick={copy}>
        {isCopied ? 'Copied' : 'Copy'}
      </button>
    </figure>
  );
}

/**
 * Browsers give pages a clipboard only where they come by HTTPS or from the same machine. A phone gets this page in neither way:
 * there the text is selected, and the browser is asked to copy the selection.
 */
async function copied(text: string, shown: HTMLElement | null): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const selection = getSelection();
    if (shown === null || selection === null) return false;
    selection.selectAllChildren(shown);
    return document.execCommand('copy');
  }
}
