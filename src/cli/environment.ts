import { SERVE_OPTIONS } from './serve-options.js';
import { closest } from './spelling.js';

/** As `quorate serve` and the other commands read them. */
const VARIABLES: readonly string[] = [
  ...SERVE_OPTIONS.map(({ serve }) => serve.variable).filter((name) => name.startsWith('QUORATE_')),
  ...['CONFIG', 'NODES', 'PORT', 'ENDPOINTS', 'TIMEOUT', 'ENDS_WITH_INPUT'].map((name) => `QUORATE_${name}`),
];

/** Kubernetes gives these to every container that runs beside a service named quorate. */
const OF_KUBERNETES = /^QUORATE(_[A-Z0-9_]+)?_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT|PORT_\d+_(TCP|UDP|SCTP)(_\w+)?)$/;

/** What is wrong with the names of the variables that are set: one that is misspelled would silently not count. */
export function problemWithVariables(environment: NodeJS.ProcessEnv): string | undefined {
  const isUnknown = (name: string): boolean => /^QUORATE_/i.test(name) && !VARIABLES.includes(name);
  const unknown = Object.keys(environment).find((name) => isUnknown(name) && !OF_KUBERNETES.test(name));
  if (unknown === undefined) return undefined;
  return `there is no environment variable ${unknown}: did you mean ${closest(unknown.toUpperCase(), VARIABLES)}? Correct or unset it`;
}
