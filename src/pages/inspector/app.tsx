import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { servedBy } from '../shared/served-by.js';
import { TopBar } from '../shared/top-bar.js';
import { ActorsPanel } from './actors-panel.js';
import type { Detail } from './chart/box-rows.js';
import { ChartPanel, MeasuredHeads } from './chart/chart-panel.js';
import { litAt } from './chart/lit.js';
import { Overview } from './chart/overview.js';
import { useChart } from './chart/use-chart.js';
import { ChartHeader, NoChart } from './chart-column.js';
import { ContextPanel } from './context-panel.js';
import { EventsPanel } from './events-panel.js';
import { Help } from './help.js';
import { useKeys } from './keys.js';
import { actorChoices } from './model/actor-choices.js';
import { NothingYet, Trouble } from './notices.js';
import { pageKeys } from './page-keys.js';
import { PhonePage, useIsNarrow } from './phone.js';
import { ScrubBar } from './scrub-bar.js';
import { SourcePicker } from './source-picker.js';
import { type Explorer, useExplorer } from './use-explorer.js';
import { type Inspection, useInspection } from './use-inspection.js';

const HAS_CLUSTER = servedBy() === 'node';

/** The inspector. */
export function App() {
  const inspection = useInspection();
  const explorer = useExplorer(inspection.model);
  const [detail, setDetail] = useState<Detail>('all');
  const [isHelpShown, setHelpShown] = useState(false);
  const isNarrow = useIsNarrow();
  const shared = {
    inspection,
    explorer,
    detail,
    setDetail,
    picker: <Picker inspection={inspection} explorer={explorer} isShort={isNarrow} />,
  };
  return (
    <>
      {isNarrow ? (
        <PhonePage {...shared} hasCluster={HAS_CLUSTER} />
      ) : (
        <WidePage {...shared} showHelp={() => setHelpShown(true)} />
      )}
      {isHelpShown ? <Help close={() => setHelpShown(false)} /> : null}
    </>
  );
}

interface PickerProps {
  readonly inspection: Inspection;
  readonly explorer: Explorer;
  readonly isShort: boolean;
}

function Picker({ inspection: { model, connection }, explorer, isShort }: PickerProps) {
  const systems = [...model.systems.values()].map(({ info }) => info);
  const selected = explorer.system?.info.system ?? null;
  return (
    <SourcePicker
      systems={systems}
      selected={selected}
      connection={connection}
      isShort={isShort}
      select={explorer.chooseSystem}
    />
  );
}

export interface PageProps {
  readonly inspection: Inspection;
  readonly explorer: Explorer;
  readonly detail: Detail;
  readonly setDetail: (detail: Detail) => void;
  readonly picker: ComponentChildren;
}

function WidePage(props: PageProps & { readonly showHelp: () => void }) {
  const { inspection, explorer, detail, setDetail, picker, showHelp } = props;
  const { system, actor, position } = explorer;
  const [isAlone, setAlone] = useState(false);
  const [isFilterShown, setFilterShown] = useState(false);
  const actorFilter = useRef<HTMLInputElement>(null);
  const eventFilter = useRef<HTMLInputElement>(null);
  const index = system?.machine(actor?.machine ?? null) ?? null;
  const lit = actor === null ? null : litAt(actor, position);
  const { chart, view, measured, isMeasuring } = useChart(index, detail, lit);
  useEffect(() => {
    if (isFilterShown) eventFilter.current?.focus();
  }, [isFilterShown]);
  useKeys(
    pageKeys({
      explorer,
      view,
      actorFilter,
      eventFilter,
      showHelp,
      hideColumns: () => setAlone(!isAlone),
      showEventFilter: () => setFilterShown(true),
    }),
    HAS_CLUSTER,
  );
  const bar = (
    <TopBar
      of={system?.info.cluster ?? null}
      current="inspector"
      pages={HAS_CLUSTER ? ['cluster', 'keys', 'members', 'inspector'] : ['inspector']}
    >
      {picker}
      <button type="button" class="quiet" aria-label="Keys" onClick={showHelp}>
        <kbd class="key">?</kbd>
      </button>
    </TopBar>
  );
  if (system === null) {
    return (
      <div class="inspector empty">
        {bar}
        <NothingYet connection={inspection.connection} problem={inspection.problem} />
      </div>
    );
  }
  const choices = actorChoices(explorer.tree, [actor, system.actors.get(explorer.eventActor ?? '')]);
  return (
    <div class={isAlone ? 'inspector alone' : 'inspector'}>
      {bar}
      <aside class="left" aria-label="Actors and overview">
        <ActorsPanel
          tree={explorer.tree}
          selected={actor?.actor ?? null}
          filter={explorer.actorFilter}
          filterElement={actorFilter}
          rowHeight={25}
          setFilter={explorer.setActorFilter}
          select={explorer.chooseActor}
        />
        {chart !== null && lit !== null && chart.layout.isScrolled ? (
          <Overview layout={chart.layout} lit={lit} view={view} />
        ) : null}
      </aside>
      <main class="middle">
        {actor === null ? null : (
          <ChartHeader actor={actor} position={position} detail={detail} setDetail={setDetail} />
        )}
        <Trouble
          connection={inspection.connection}
          isConnected={system.info.connected}
          lateMs={explorer.isLive ? inspection.lateMs : 0}
        />
        {index === null || actor === null || lit === null ? (
          <NoChart actor={actor} />
        ) : (
          <>
            <ChartPanel index={index} detail={detail} lit={lit} chart={chart} view={view} />
            <div ref={measured}>{isMeasuring ? <MeasuredHeads index={index} detail={detail} /> : null}</div>
          </>
        )}
      </main>
      <aside class="right" aria-label="Events and context">
        <EventsPanel
          rows={explorer.rows}
          current={explorer.current}
          isLive={explorer.isLive}
          opened={explorer.opened}
          choices={choices}
          actor={explorer.eventActor}
          text={explorer.eventText}
          isFilterShown={isFilterShown || explorer.eventText !== ''}
          lowestRow={0}
          filterElement={eventFilter}
          setActor={explorer.setEventActor}
          setText={explorer.setEventText}
          showFilter={() => setFilterShown(true)}
          open={explorer.openRow}
          pause={explorer.pause}
        />
        <ContextPanel actor={actor} position={position} isLive={explorer.isLive} />
      </aside>
      <ScrubBar {...explorer} system={system} />
    </div>
  );
}
