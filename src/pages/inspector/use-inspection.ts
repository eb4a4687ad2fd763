import { useEffect, useMemo, useState } from 'preact/hooks';
import { Drawing } from './drawing.js';
import { InspectionModel } from './model/inspection-model.js';
import { type Connection, StreamClient } from './stream-client.js';

export interface Inspection {
  readonly model: InspectionModel;
  readonly connection: Connection;
  /** How far the page is behind the programs, ms. */
  readonly lateMs: number;
  /** Why the stream cannot be read; null where it can. */
  readonly problem: string | null;
}

/** A page that has heard nothing for this long is not behind any more. */
const CALM_AFTER_MS = 2_000;

/** The model that the stream fills; the component is drawn again when there is something new. */
export function useInspection(): Inspection {
  const model = useMemo(() => new InspectionModel(), []);
  const [connection, setConnection] = useState<Connection>({ state: 'connecting' });
  const [problem, setProblem] = useState<string | null>(null);
  const [lateMs, setLateMs] = useState(0);
  const [, setVersion] = useState(0);
  useEffect(() => {
    let calm: number | undefined;
    const draw = (): void => {
      setVersion(model.version);
      const ageMs = model.ageMs(Date.now());
      if (ageMs === null) return;
      setLateMs(ageMs);
      clearTimeout(calm);
      calm = setTimeout(setLateMs, CALM_AFTER_MS, 0) as unknown as number;
    };
    const drawing = new Drawing(draw, window);
    const client = new StreamClient({
      connection: setConnection,
      message: (message) => {
        try {
          model.take(message, Date.now());
        } catch (error) {
          setProblem(error instanceof Error ? error.message : String(error));
        }
        drawing.ask(message.type === 'snapshot' && message.changed);
      },
    });
    return () => {
      drawing.stop();
      clearTimeout(calm);
      client.close();
    };
  }, [model]);
  return { model, connection, lateMs, problem };
}
