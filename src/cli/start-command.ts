import path from 'node:path';
import { fromEnvironment } from '../node/serve-form.js';
import { SERVE_OPTIONS } from './serve-options.js';

/** Runs `quorate` with these arguments as this process was run; to be pasted into a shell, whatever folder it is in. */
export function quorateCommand(args: readonly string[]): string {
  return [process.execPath, ...process.execArgv, entryPoint(), ...args].map(quoted).join(' ');
}

/** The command that starts this `quorate serve` once more: its arguments, and the variables of the environment that it used. */
export function ownStartCommand(): string {
  const variables = SERVE_OPTIONS.flatMap(({ serve: { variable } }) => {
    const value = fromEnvironment(variable, process.env);
    return value === undefined ? [] : [`${variable}=${quoted(value)}`];
  });
  return [...variables, quorateCommand(process.argv.slice(2).map(resolved))].join(' ');
}

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
