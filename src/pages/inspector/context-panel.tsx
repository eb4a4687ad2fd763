import './context.css';
import { useEffect, useRef, useState } from 'preact/hooks';
import { px } from '../shared/px.js';
import type { ActorHistory, Position } from './model/actor-history.js';
import { type ContextRow, contextTree } from './model/context-rows.js';

export interface ContextPanelProps {
  readonly actor: ActorHistory | null;
  readonly position: Position;
  readonly isLive: boolean;
}

/** The selected actor's data, with what the last snapshot changed. */
export function ContextPanel({ actor, position, isLive }: ContextPanelProps) {
  const element = useRef<HTMLElement>(null);
  const [toggled, setToggled] = useState<ReadonlySet<string>>(new Set());
  const lively = useRef(new Set<string>());
  const open = { lively: lively.current, toggled };
  const { rows, changed, changedBranches } = contextTree(shownOf(actor, position), beforeOf(actor, position), open);
  for (const path of changedBranches) lively.current.add(path);
  const toggle = (path: string): void => {
    const next = new Set(toggled);
    if (!next.delete(path)) next.add(path);
    setToggled(next);
  };
  // Live, nothing changes its place; a moment that was chosen shows what it changed.
  useEffect(() => {
    if (!isLive) element.current?.querySelector('.changed')?.scrollIntoView({ block: 'center' });
  }, [isLive, position]);
  return (
    <section class="context panel" aria-label="Context">
      <header>
        <h2>Context</h2>
        <span class="aside">{changed === 0 ? '' : `${changed} changed`}</span>
      </header>
      {rows.length === 0 ? (
        <p class="nothing">{actor === null ? 'No actor is selected.' : `${actor.id} has no context.`}</p>
      ) : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls can be reached by keyboard.
        <section class="tree" ref={element} aria-label="Context, as a tree" tabIndex={0}>
          {rows.map((row) => (
            <ContextLine key={row.path} row={row} toggle={toggle} />
          ))}
        </section>
      )}
    </section>
  );
}

/** Context, and for what has ended its output or its error. */
function shownOf(actor: ActorHistory | null, position: Position): unknown {
  const snapshot = actor?.snapshotAt(position);
  if (snapshot === null || snapshot === undefined) return {};
  const { context, output, error } = snapshot;
  const ends = {
    ...(output === undefined || output === null ? {} : { output }),
    ...(error === undefined || error === null ? {} : { error }),
  };
  return typeof context === 'object' && context !== null ? { ...context, ...ends } : ends;
}

function beforeOf(actor: ActorHistory | null, position: Position): unknown {
  const { context } = actor?.snapshotBefore(position) ?? {};
  return typeof context === 'object' && context !== null ? context : undefined;
}

function ContextLine({ row, toggle }: { readonly row: ContextRow; readonly toggle: (path: string) => void }) {
  const { path, depth, key, text, before, isOpen } = row;
  const indent = { paddingLeft: px(12 + depth * 14) };
  const words = (
    <>
      <span class="key-name">{key}</span>
      {before === null ? null : (
        <>
          <span class="hidden-text">was</span>
          <del>{before}</del>
          <span class="hidden-text">is now</span>
        </>
      )}
      {isOpen === true && text.startsWith('{') && depth === 0 ? null : before === null ? (
        <span class="value">{text}</span>
      ) : (
        <ins>{text}</ins>
      )}
    </>
  );
  if (isOpen === null) {
    return (
      <div class={before === null ? 'line' : 'line changed'} style={indent} title={text}>
        {words}
      </div>
    );
  }
  return (
    <button
      type="button"
      class={before === null ? 'line' : 'line changed'}
      style={indent}
      aria-expanded={isOpen}
      onClick={() => toggle(path)}
    >
      {words}
    </button>
  );
}
