import type { Settings } from '../raft/settings.js';

/** Where a value came from. */
export type Source = 'flag' | 'environment' | 'file' | 'default';

/** How `quorate serve` takes an option: as a flag, in the environment, or in its file. */
export interface ServeForm {
  /** Its name in the file and in what `--print-config` shows. */
  readonly name: string;
  /** `--max-connections`. */
  readonly flag: string;
  /** The flag's argument, as its help shows it; '' where it has none. */
  readonly argument: string;
  /** `QUORATE_MAX_CONNECTIONS`. */
  readonly variable: string;
  /** The text of `--help` about it. */
  readonly help: string;
  readonly default?: unknown;
  /** The end of "expected … to be", where what is written differs from what code gives. */
  readonly expected?: string;
  /** Makes a value of what is written in a flag or a variable. Text that it cannot read stays text: the schema refuses it. */
  readonly read?: (text: string, source: Source) => unknown;
  /** The same for lists, which `--print-config` shows as they are written. */
  readonly parse?: (text: string) => unknown;
  /** Errors name it so whichever way it came. */
  readonly isSetting?: true;
}

type Details = Pick<ServeForm, 'default' | 'expected' | 'read' | 'parse'>;

export function served(name: string, argument: string, help: string, details: Details = {}): ServeForm {
  const variable = `QUORATE_${name.toUpperCase().replaceAll('-', '_')}`;
  return { name, flag: `--${name}`, argument, variable, help, ...details };
}

const HELP_OF_SETTINGS: Readonly<Record<keyof Settings, string>> = {
  ELECTION_TIMEOUT_MIN: 'a follower that hears no leader for so long stands for election, ms, at the least',
  ELECTION_TIMEOUT_MAX: 'and at the most: each time is drawn in between, ms',
  HEARTBEAT_INTERVAL: "from one of a leader's heartbeats to the next, ms; at most a third of the shortest timeout",
  MAX_MISSED_HEARTBEATS: 'heartbeats in a row that a peer leaves unanswered before it counts as down',
};

export function setting(name: keyof Settings, argument: string, value: number): ServeForm {
  const flag = `--${name.toLowerCase().replaceAll('_', '-')}`;
  return {
    name,
    flag,
    argument,
    variable: name,
    help: HELP_OF_SETTINGS[name],
    default: value,
    read: numberFrom,
    isSetting: true,
  };
}

export function numberFrom(text: string): unknown {
  return text.trim() === '' || Number.isNaN(Number(text)) ? text : Number(text);
}

export function yesOrNoFrom(text: string): unknown {
  const word = text.toLowerCase();
  if (['1', 'true', 'yes', 'on'].includes(word)) return true;
  return ['0', 'false', 'no', 'off'].includes(word) ? false : text;
}

/**
 * A variable's value. One that is set to nothing counts as not set, as a line `QUORATE_PORT=` in a file of them means, and so does the
 * address that Kubernetes sets QUORATE_PORT to in every container beside a service named quorate.
 */
export function fromEnvironment(variable: string, environment: NodeJS.ProcessEnv): string | undefined {
  const text = environment[variable];
  const isOfKubernetes = variable.endsWith('_PORT') && /^(tcp|udp|sctp):\/\//.test(text ?? '');
  return text === '' || isOfKubernetes ? undefined : text;
}
