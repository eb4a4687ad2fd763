import './notices.css';
import { timeOfDay } from '../../report/phrases.js';
import { duration } from '../shared/format.js';
import { servedBy } from '../shared/served-by.js';
import type { Connection } from './stream-client.js';

/** Fills the page while there is no program to show. */
export function NothingYet({
  connection,
  problem,
}: {
  readonly connection: Connection;
  readonly problem: string | null;
}) {
  if (problem !== null) return <Message title="This page cannot read the stream." text={problem} />;
  if (connection.state === 'closed') {
    return connection.refusal === null ? (
      <Message title="Nobody answers." text={whyAndWhatNext(connection.why)} />
    ) : (
      <Message title="The server refused to be inspected." text={connection.refusal} />
    );
  }
  if (servedBy() === 'inspector' && connection.state === 'open') return <HowToBegin />;
  return <Message title="Connecting…" text="The actors of this node come next." />;
}

function Message({ title, text }: { readonly title: string; readonly text: string }) {
  return (
    <main class="nothing-yet" aria-live="polite">
      <h1>{title}</h1>
      <p>{text}</p>
    </main>
  );
}

function HowToBegin() {
  const lines = [
    "import { createWebSocketInspector } from '@statelyai/inspect';",
    `const { inspect } = createWebSocketInspector({ url: 'ws://${location.host}' });`,
    'createActor(machine, { inspect }).start();',
  ];
  return (
    <main class="nothing-yet" aria-live="polite">
      <h1>No program has connected yet.</h1>
      <p>Put these lines into an app that runs XState 5, and start it:</p>
      <pre>
        <code>{lines.join('\n')}</code>
      </pre>
      <button type="button" class="button" onClick={() => void navigator.clipboard.writeText(`${lines.join('\n')}\n`)}>
        Copy
      </button>
    </main>
  );
}

export interface TroubleProps {
  readonly connection: Connection;
  readonly isConnected: boolean;
  readonly lateMs: number;
}

const LATE_MS = 1_000;

/** A line above the chart while what is shown is old. */
export function Trouble({ connection, isConnected, lateMs }: TroubleProps) {
  const text = troubleText(connection, isConnected, lateMs);
  return (
    <p class="trouble" role="status" hidden={text === ''}>
      {text}
    </p>
  );
}

function troubleText(connection: Connection, isConnected: boolean, lateMs: number): string {
  if (connection.state === 'closed') {
    const { sinceMs, refusal, why } = connection;
    const what = refusal === null ? 'No answer' : 'Refused';
    const since = `${what} since ${timeOfDay(sinceMs)}; shown is what was last heard.`;
    return `${since} ${refusal ?? whyAndWhatNext(why)}`;
  }
  if (!isConnected) return 'This program has left; shown is what it told.';
  return lateMs > LATE_MS ? `This page is ${duration(lateMs)} behind.` : '';
}

const whyAndWhatNext = (why: string | null): string =>
  `${why === null ? '' : `${why}. `}This page dials again by itself.`;
