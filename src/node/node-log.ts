import { pino } from 'pino';
import { descriptor, LogOutput } from './log-output.js';

/** One method for each level: fields for machines, then a sentence for people. pino's loggers have them, and `console`. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** The loggers that `ReplicaNode.open` takes; `false` logs nothing. */
export type LoggerOption = Logger | Console | false;

/** Its file descriptor, in a thread that has no stream of its own for it. */
const STANDARD_ERROR = 2;

type Level = keyof Logger;
type Write = (level: Level, fields: object, message: string) => void;

/**
 * The log of a node. A logger that throws loses its line and nothing else: the node calls it in the middle of its work, and
 * must go on. The first such failure is told as a warning of the process, because the logger itself cannot tell it (P52).
 */
export class NodeLog implements Logger {
  readonly #write: Write;
  readonly #id: string;
  #hasFailed = false;

  /** Without a logger: warnings and errors as lines of JSON on standard error, where a library may write. */
  constructor(id: string, given: LoggerOption | undefined) {
    this.#id = id;
    this.#write = given === false ? () => undefined : writerFor(id, given ?? standardError());
  }

  debug(fields: object, message: string): void {
    this.#log('debug', fields, message);
  }

  info(fields: object, message: string): void {
    this.#log('info', fields, message);
  }

  warn(fields: object, message: string): void {
    this.#log('warn', fields, message);
  }

  error(fields: object, message: string): void {
    this.#log('error', fields, message);
  }

  #log(level: Level, fields: object, message: string): void {
    try {
      this.#write(level, fields, message);
    } catch (error) {
      if (this.#hasFailed) return;
      this.#hasFailed = true;
      const why = error instanceof Error ? (error.stack ?? error.message) : String(error);
      process.emitWarning(
        `the logger of node ${this.#id} threw, and the line "${message}" is lost: mend the logger; the node goes on (${why})`,
        { code: 'QUORATE_LOGGER_FAILED' },
      );
    }
  }
}

interface WithChildren extends Logger {
  child(bindings: object): Logger;
}

function writerFor(id: string, logger: Logger | Console): Write {
  if ('child' in logger && typeof logger.child === 'function') {
    const child = (logger as WithChildren).child({ node: id });
    return (level, fields, message) => child[level](fields, message);
  }
  if (!isConsole(logger)) return (level, fields, message) => logger[level]({ node: id, ...fields }, message);
  return (level, fields, message) => {
    const { err } = fields as { err?: unknown };
    const line = `quorate ${id}: ${message}`;
    if (err === undefined) logger[level](line);
    else logger[level](line, err);
  };
}

/** `console` is for people: it gets the sentence alone, and an error's stack. */
function isConsole(logger: Logger | Console): logger is Console {
  return 'table' in logger && 'group' in logger;
}

let toStandardError: Logger | undefined;

/** Its reader may stop reading: that costs lines, and never the node's time. */
function standardError(): Logger {
  if (toStandardError !== undefined) return toStandardError;
  const output = new LogOutput({
    device: descriptor(process.stderr.fd ?? STANDARD_ERROR),
    // The log cannot say it, and there is no other.
    failed: () => undefined,
    resumed: (lines, why) =>
      toStandardError?.warn(
        { event: 'log lines lost', lines },
        `lines of this log that were lost before this one: ${lines} (${why})`,
      ),
  });
  process.once('exit', () => output.finish());
  toStandardError = pino({ name: 'quorate', level: 'warn' }, output);
  return toStandardError;
}
