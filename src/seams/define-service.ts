import { QuorateError } from '../errors/quorate-error.js';
import { shown } from '../errors/shown.js';
import type { Codec } from './codec.js';
import type { ParamsOf, Query, Route, Service } from './service.js';

/** The definition that `defineService` takes. */
export interface ServiceDefinition<Machine, Command, Result, Inputs, Answers, Paths extends string> {
  readonly name: string;
  readonly command: Codec<Command>;
  readonly result: Codec<Result>;
  readonly queries?: {
    readonly [Name in keyof Inputs]: {
      readonly input: Codec<Inputs[Name]>;
      readonly run: (stateMachine: Machine, input: Inputs[Name]) => unknown;
    };
  } & { readonly [Name in keyof Answers]: { readonly answer: Codec<Answers[Name]> } };
  readonly routes?: { readonly [Path in Paths]: Route<Machine, Command, Result, ParamsOf<Path>> };
  /** Default 8 MiB. */
  readonly mostBodyBytes?: number;
  /** Default: what `command.decode` throws for is refused. */
  readonly checkCommand?: (bytes: Uint8Array) => void;
}

const FIELDS = ['name', 'command', 'result', 'queries', 'routes', 'mostBodyBytes', 'checkCommand'];
const MOST_BODY_BYTES = 8 * 1024 * 1024;
const MOST_NAME_CHARACTERS = 64;
const PATTERN = /^(GET|PUT|POST|DELETE) (\/[^{}?#\s]*(\{\w+\}[^{}?#\s]*)*(\{\w+\.\.\.\})?)$/;

/**
 * Checks the definition of a service and fills in what it leaves out. Throws CONFIG_INVALID, with what was expected. The types
 * of commands, results and queries follow from the codecs, that of the state machine from the functions that take it.
 */
export function defineService<Machine, Command, Result, Inputs, Answers, Paths extends string = never>(
  definition: ServiceDefinition<Machine, Command, Result, Inputs, Answers, Paths>,
): Service<
  Machine,
  Command,
  Result,
  { readonly [Name in keyof Inputs]: Query<Machine, Inputs[Name], Name extends keyof Answers ? Answers[Name] : never> }
> {
  checkDefinition(Object(definition));
  const { name, command, result, mostBodyBytes = MOST_BODY_BYTES } = definition;
  const checkCommand = definition.checkCommand ?? ((bytes: Uint8Array) => void command.decode(bytes));
  const { queries = {}, routes = {} } = definition;
  return { name, command, result, queries: queries as never, routes, mostBodyBytes, checkCommand };
}

function checkDefinition(given: Readonly<Record<string, unknown>>): void {
  const { name, command, result, queries = {}, routes = {}, mostBodyBytes = MOST_BODY_BYTES } = given;
  const unknown = Object.keys(given).find((field) => !FIELDS.includes(field));
  if (unknown !== undefined) refuse(`the fields of a service to be ${FIELDS.join(', ')}`, unknown);
  if (typeof name !== 'string' || !/^[\w.-]+$/.test(name) || name.length > MOST_NAME_CHARACTERS)
    refuse(`the name of a service to be 1 to ${MOST_NAME_CHARACTERS} letters, digits, ".", "_" or "-"`, name);
  checkCodec('command', command);
  checkCodec('result', result);
  for (const [named, query] of Object.entries(Object(queries))) {
    const { input, answer, run } = Object(query) as Partial<Query<unknown, unknown, unknown>>;
    checkCodec(`input of the query ${named}`, input);
    checkCodec(`answer of the query ${named}`, answer);
    if (typeof run !== 'function') refuse(`run of the query ${named} to be a function`, run);
  }
  for (const [pattern, route] of Object.entries(Object(routes))) {
    if (!PATTERN.test(pattern))
      refuse("a route's name to be a method and a path, as in 'GET /v1/counters/{name}'", pattern);
    if (typeof route !== 'function') refuse(`the route ${pattern} to be a function`, route);
  }
  if (!Number.isSafeInteger(mostBodyBytes) || (mostBodyBytes as number) < 1)
    refuse('mostBodyBytes to be a whole number from 1 up', mostBodyBytes);
}

function checkCodec(what: string, codec: unknown): void {
  const { encode, decode } = Object(codec) as Partial<Codec<unknown>>;
  if (typeof encode !== 'function' || typeof decode !== 'function')
    refuse(`${what} to be a codec, with encode and decode`, codec);
}

function refuse(expected: string, got: unknown): never {
  throw new QuorateError('QUORATE_CONFIG_INVALID', `expected ${expected}, got ${shown(got)}`);
}
