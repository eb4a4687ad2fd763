import type { InspectionSystem } from '../../inspect/stream.js';
import type { Connection } from './stream-client.js';

export interface SourcePickerProps {
  readonly systems: readonly InspectionSystem[];
  readonly selected: string | null;
  readonly connection: Connection;
  readonly select: (system: string) => void;
}

/** Which program is shown. */
export function SourcePicker({ systems, selected, connection, select }: SourcePickerProps) {
  const shown = systems.find(({ system }) => system === selected);
  if (shown === undefined) return null;
  const isThere = connection.state === 'open' && shown.connected;
  return (
    <span class="source">
      <i class={isThere ? 'dot' : 'dot off'} role="img" aria-label={isThere ? 'connected' : 'not connected'} />
      {systems.length === 1 ? (
        <span>{sourceName(shown)}</span>
      ) : (
        <select
          aria-label="Program that is shown"
          value={shown.system}
          onChange={({ currentTarget }) => select(currentTarget.value)}
        >
          {systems.map((one) => (
            <option key={one.system} value={one.system}>
              {sourceName(one)}
            </option>
          ))}
        </select>
      )}
    </span>
  );
}

function sourceName({ name, via, pid, connected }: InspectionSystem): string {
  const how = via === 'quorate' ? '' : `${pid === null ? '' : ` · pid ${pid}`} · through ${via}`;
  return `${name}${how}${connected ? '' : ' · gone'}`;
}
