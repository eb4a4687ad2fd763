import { closest } from './spelling.js';

/** Names of the settings of `serve` as in flags and the file; in the environment QUORATE_ and upper case. */
export const SERVE_NAMES = [
  'id',
  'listen',
  'advertise',
  'peers',
  'data',
  'cluster',
  'insecure',
  'allow-host',
  'max-connections',
  'log-level',
  'inspect',
] as const;

/** As `quorate serve` and the other commands read them. */
const VARIABLES: readonly string[] = [
  ...SERVE_NAMES.map(variableOf),
  ...['CONFIG', 'NODES', 'PORT', 'ENDPOINTS', 'TIMEOUT', 'ENDS_WITH_INPUT'].map((name) => `QUORATE_${name}`),
];

/** Kubernetes gives these to every container that runs beside a service named quorate. */
const OF_KUBERNETES = /^QUORATE(_[A-Z0-9_]+)?_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT|PORT_\d+_(TCP|UDP|SCTP)(_\w+)?)$/;

export function variableOf(name: string): string {
  return `QUORATE_${name.toUpperCase().replaceAll('-', '_')}`;
}

/** A variable's value. One that is set to nothing counts as not set, as a line `QUORATE_PORT=` in a file of them means. */
export function fromEnvironment(name: string, environment: NodeJS.ProcessEnv = process.env): string | undefined {
  const text = environment[name];
  return text === '' ? undefined : text;
}

/** What is wrong with the names of the variables that are set: one that is misspelled would silently not count. */
export function problemWithVariables(environment: NodeJS.ProcessEnv): string | undefined {
  const isUnknown = (name: string): boolean => /^QUORATE_/i.test(name) && !VARIABLES.includes(name);
  const unknown = Object.keys(environment).find((name) => isUnknown(name) && !OF_KUBERNETES.test(name));
  if (unknown === undefined) return undefined;
  return `there is no environment variable ${unknown}: did you mean ${closest(unknown.toUpperCase(), VARIABLES)}? Correct or unset it`;
}
