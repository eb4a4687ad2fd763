import type { InspectionSystem } from '../../inspect/stream.js';
import type { Connection } from './stream-client.js';

export interface SourcePickerProps {
  readonly systems: readonly InspectionSystem[];
  readonly selected: string | null;
  readonly connection: Connection;
  /** Where there is little room: the name without its address. */
  readonly isShort: boolean;
  readonly select: (system: string) => void;
}

/** Which program is shown. */
export function SourcePicker({ systems, selected, connection, isShort, select }: SourcePickerProps) {
  const shown = systems.find(({ system }) => system === selected);
  if (shown === undefined) return null;
  const nameOf = (one: InspectionSystem): string =>
    isShort ? `${one.name.replace(/ at .*$/, '')}${goneText(one)}` : sourceName(one);
  const isThere = connection.state === 'open' && shown.connected;
  return (
    <span class="source">
      <i class={isThere ? 'dot' : 'dot off'} role="img" aria-label={isThere ? 'connected' : 'not connected'} />
      {systems.length === 1 ? (
        <span>{nameOf(shown)}</span>
      ) : (
        <span class="choice">
          <select
            aria-label="Program that is shown"
            value={shown.system}
            onChange={({ currentTarget }) => select(currentTarget.value)}
          >
            {systems.map((one) => (
              <option key={one.system} value={one.system}>
                {nameOf(one)}
              </option>
            ))}
          </select>
        </span>
      )}
    </span>
  );
}

function sourceName({ name, via, pid, connected }: InspectionSystem): string {
  const how = via === 'quorate' ? '' : `${pid === null ? '' : ` · pid ${pid}`} · through ${via}`;
  return `${name}${how}${goneText({ connected })}`;
}

const goneText = ({ connected }: Pick<InspectionSystem, 'connected'>): string => (connected ? '' : ' · gone');
