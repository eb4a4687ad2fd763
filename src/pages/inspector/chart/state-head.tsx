import type { StateDefinition } from '../../../inspect/stream.js';
import type { DefinitionIndex } from '../model/definition-index.js';
import { type BoxRows, boxRows, type ChangeRow, type Detail } from './box-rows.js';
import type { Lit } from './lit.js';

export interface StateHeadProps {
  readonly index: DefinitionIndex;
  readonly state: StateDefinition;
  readonly detail: Detail;
  /** Null while sizes are measured. */
  readonly lit: Lit | null;
  /** Without arrows every row names its target. */
  readonly isNamingTargets: boolean;
}

/** The text of a state's box: its title, its actions and its transitions. Each line has `data-line`, for measuring. */
export function StateHead({ index, state, detail, lit, isNamingTargets }: StateHeadProps) {
  const rows = boxRows(index, state, detail);
  if (state.path === '' && isEmpty(rows)) return <div class="head root empty" data-head="" />;
  return (
    <div class={state.path === '' ? 'head root' : 'head'} data-head={state.path} {...treeItem(state, lit)}>
      <div class="title" data-line="" title={state.description}>
        {isInitial(index, state) ? <i class="initial" role="img" aria-label="initial" /> : null}
        <span class="name">{state.key}</span>
        {kindOf(state) === '' ? null : <small>{kindOf(state)}</small>}
        {lit?.active.has(state.path) === true ? <span class="hidden-text">, active</span> : null}
      </div>
      {rows.activities.map(({ kind, names }) => (
        <div key={kind} class="activity" data-line="">
          {kind} <span>{names}</span>
        </div>
      ))}
      {rows.changes.map((row) => (
        <ChangeLine key={row.key} row={row} source={state.path} lit={lit} isNaming={isNamingTargets || row.isFar} />
      ))}
      {rows.unchanging.length === 0 ? null : (
        <div class="unchanging" data-line="" title={rows.unchanging.join(', ')}>
          + {rows.unchanging.length === 1 ? rows.unchanging[0] : `${rows.unchanging.length} events without a change`}
        </div>
      )}
    </div>
  );
}

/** Screen readers find the states as a tree, by their levels; the boxes around them say nothing more. */
function treeItem({ path }: StateDefinition, lit: Lit | null) {
  if (lit === null) return {};
  const level = path === '' ? 1 : path.split('.').length + 1;
  return { role: 'treeitem', tabIndex: -1, 'aria-level': level, 'aria-selected': lit.active.has(path) } as const;
}

const isEmpty = ({ activities, changes, unchanging }: BoxRows): boolean =>
  activities.length + changes.length + unchanging.length === 0;

const isInitial = (index: DefinitionIndex, state: StateDefinition): boolean =>
  index.parentOf(state)?.initial === state.key;

function kindOf({ path, type }: StateDefinition): string {
  if (path === '') return 'any state';
  return type === 'final' || type === 'history' ? type : '';
}

interface ChangeLineProps {
  readonly row: ChangeRow;
  readonly source: string;
  readonly lit: Lit | null;
  readonly isNaming: boolean;
}

function ChangeLine({ row, source, lit, isNaming }: ChangeLineProps) {
  const isTaken = lit?.isTaken(source, row) === true;
  return (
    <div class={isTaken ? `change taken flash-${(lit?.changedAt ?? 0) & 1}` : 'change'} data-line="" data-row={row.key}>
      {row.kind === '' ? null : <small>{row.kind} </small>}
      <span class="event">{row.events}</span>
      {row.condition === null ? null : <span class="condition"> [{row.condition}]</span>}
      {row.isReentry ? (
        <span class="arrow"> ↻</span>
      ) : (
        <span class="arrow"> →{isNaming ? <small> {row.targetName}</small> : null}</span>
      )}
    </div>
  );
}
