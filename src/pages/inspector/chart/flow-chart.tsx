import { useEffect, useRef } from 'preact/hooks';
import type { StateDefinition } from '../../../inspect/stream.js';
import type { ActorHistory, Position } from '../model/actor-history.js';
import type { DefinitionIndex } from '../model/definition-index.js';
import type { Detail } from './box-rows.js';
import { childOrder } from './child-order.js';
import { type Lit, litAt } from './lit.js';
import { stateClasses } from './state-classes.js';
import { StateHead } from './state-head.js';

export interface FlowChartProps {
  readonly index: DefinitionIndex;
  readonly actor: ActorHistory;
  readonly position: Position;
  readonly detail: Detail;
}

/** The chart in one column, without arrows: for narrow screens. It scrolls to the lit state, of several to the one that changed last. */
export function FlowChart({ index, actor, position, detail }: FlowChartProps) {
  const lit = litAt(actor, position);
  const element = useRef<HTMLDivElement>(null);
  const where = [...lit.leaves].join();
  useEffect(() => {
    const lights = [...(element.current?.querySelectorAll<HTMLElement>('.active-leaf') ?? [])];
    const newest = lights.find(({ dataset }) => lit.entered.includes(dataset.state ?? ''));
    (newest ?? lights[0])?.scrollIntoView({ block: 'center' });
  }, [where]);
  return (
    <div
      class={`chart flow detail-${detail}`}
      ref={element}
      role="tree"
      aria-label={`Chart of ${index.root.key}`}
      aria-multiselectable="true"
      tabIndex={0}
    >
      <StateHead index={index} state={index.root} detail={detail} lit={lit} isNamingTargets />
      {childOrder(index, index.root).map((child) => (
        <FlowState key={child.path} index={index} state={child} depth={1} detail={detail} lit={lit} />
      ))}
    </div>
  );
}

interface FlowStateProps {
  readonly index: DefinitionIndex;
  readonly state: StateDefinition;
  readonly depth: number;
  readonly detail: Detail;
  readonly lit: Lit;
}

function FlowState({ index, state, depth, detail, lit }: FlowStateProps) {
  const isActive = lit.active.has(state.path);
  return (
    <div
      class={stateClasses(state, index.parentOf(state), depth, lit)}
      role="none"
      data-machine={index.root.key}
      data-state={state.path}
      data-active={String(isActive)}
    >
      <StateHead index={index} state={state} detail={detail} lit={lit} isNamingTargets />
      {state.states.length === 0 ? null : (
        <div class="children" role="none">
          {childOrder(index, state).map((child) => (
            <FlowState key={child.path} index={index} state={child} depth={depth + 1} detail={detail} lit={lit} />
          ))}
        </div>
      )}
    </div>
  );
}
