import { useEffect, useRef } from 'preact/hooks';

/** By key, as `f`, or by two in a row, as `g k`. */
export type Shortcuts = Readonly<Record<string, (event: KeyboardEvent) => void>>;

const PREFIX = 'g';
const PREFIX_HOLDS_MS = 1_500;

/** Keys that do something wherever the focus is, but not while somebody types. */
export function useShortcuts(shortcuts: Shortcuts): void {
  const current = useRef(shortcuts);
  current.current = shortcuts;
  useEffect(() => {
    let prefixedMs = Number.NEGATIVE_INFINITY;
    const press = (event: KeyboardEvent): void => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.key !== 'Escape' && isTyping(event.target)) return;
      const isPrefixed = event.timeStamp - prefixedMs < PREFIX_HOLDS_MS;
      prefixedMs = event.key === PREFIX ? event.timeStamp : Number.NEGATIVE_INFINITY;
      const run = current.current[isPrefixed ? `${PREFIX} ${event.key}` : event.key];
      if (run === undefined) return;
      event.preventDefault();
      run(event);
    };
    addEventListener('keydown', press);
    return () => removeEventListener('keydown', press);
  }, []);
}

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
