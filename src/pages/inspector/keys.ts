import { useEffect, useRef } from 'preact/hooks';

/** The actions of keys, by `KeyboardEvent.key`. */
export type KeyActions = Readonly<Record<string, (event: KeyboardEvent) => void>>;

const PAGES: Readonly<Record<string, string>> = { c: './#cluster', k: './#keys', m: './#members', i: 'inspector' };
const SEQUENCE_MS = 1_500;

/** Keys for the whole page, but none while somebody writes; only Escape leaves a field. */
export function useKeys(actions: KeyActions, hasCluster: boolean): void {
  const current = useRef(actions);
  current.current = actions;
  useEffect(() => {
    let goSinceMs = 0;
    const press = (event: KeyboardEvent): void => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
      if (isIn(event.target, 'dialog')) return;
      if (isIn(event.target, 'input, textarea, select') && event.key !== 'Escape') return;
      if (event.timeStamp - goSinceMs < SEQUENCE_MS && hasCluster && PAGES[event.key] !== undefined) {
        location.assign(new URL(PAGES[event.key] as string, document.baseURI));
        return;
      }
      goSinceMs = event.key === 'g' ? event.timeStamp : Number.NEGATIVE_INFINITY;
      const action = current.current[event.key];
      if (action === undefined) return;
      action(event);
    };
    document.addEventListener('keydown', press);
    return () => document.removeEventListener('keydown', press);
  }, [hasCluster]);
}

const isIn = (target: EventTarget | null, selector: string): boolean =>
  target instanceof Element && target.closest(selector) !== null;
