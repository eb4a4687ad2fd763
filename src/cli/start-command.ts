import path from 'node:path';
import { fromEnvironment } from '../node/serve-form.js';
import { SERVE_OPTIONS } from './serve-options.js';

/** Runs `quorate` with these arguments as this process was run; to be pasted into a shell, whatever folder it is in. */
export function quorateCommand(args: readonly string[]): string {
  return [process.execPath, ...process.execArgv, entryPoint(), ...args].map(quoted).join(' ');
}

/**
 * The command that starts this `quorate serve` once more, from whatever folder: its arguments, and the variables of the environment that
 * it used. In another folder a relative path would name another directory, and a node that starts on a new one has lost its data.
 */
export function ownStartCommand(args = process.argv.slice(2), environment = process.env): string {
  const variables = [...SERVE_OPTIONS.map(({ serve }) => serve.variable), CONFIG_VARIABLE].flatMap((variable) => {
    const value = fromEnvironment(variable, environment);
    if (value === undefined) return [];
    return [`${variable}=${quoted(PATH_VARIABLES.includes(variable) ? path.resolve(value) : value)}`];
  });
  const words = [...variables, quorateCommand(args.map(resolved))];
  // What is relative in the file is so to the folder in which the node was started.
  const hasFile = words.some((word) => word.startsWith(`${CONFIG_VARIABLE}=`)) || args.some(isConfigFlag);
  return (hasFile ? [`cd ${quoted(process.cwd())} &&`, ...words] : words).join(' ');
}

const CONFIG_VARIABLE = 'QUORATE_CONFIG';
const PATH_VARIABLES: readonly string[] = ['QUORATE_DATA', CONFIG_VARIABLE];

const isConfigFlag = (argument: string): boolean => argument === '--config' || argument.startsWith('--config=');

/** A file or folder that is named relatively would be another one in another folder. */
function resolved(argument: string, at: number, all: readonly string[]): string {
  if (PATHS.includes(all[at - 1] ?? '')) return path.resolve(argument);
  const flag = PATHS.find((name) => argument.startsWith(`${name}=`));
  return flag === undefined ? argument : `${flag}=${path.resolve(argument.slice(flag.length + 1))}`;
}

const PATHS = ['--data', '--config'];

export const entryPoint = (): string => path.resolve(process.argv[1] ?? '');

function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
