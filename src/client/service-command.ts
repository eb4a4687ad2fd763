import type { CallOptions } from './call.js';

/** The words and flags of a command line. */
export interface CommandInput {
  readonly args: readonly string[];
  /** By their names in camel case. */
  readonly flags: Readonly<Record<string, string | undefined>>;
  /** All that comes from standard input, up to one byte more than `mostBytes`: the rest is not read. */
  readonly standardInput: (mostBytes: number) => Uint8Array;
}

/** The output of a command. */
export interface CommandOutput {
  /** With `--json`. */
  readonly document: object;
  /** Otherwise: lines of text, or bytes as they are. */
  readonly shown: string | Uint8Array;
  /** A remark that is printed on standard error, but not with `--json`. */
  readonly note?: string;
}

/** The call that a command makes, once its words have been checked. */
export interface CommandCall<Client> {
  /** Whether only the node that is asked may answer, out of what it has: the first endpoint that answers is asked. */
  readonly asksOneNode?: boolean;
  readonly ask: (client: Client, options: CallOptions) => Promise<CommandOutput>;
}

/** A command that a service offers on the command line. */
export interface ServiceCommand<Client> {
  /** Its name and arguments: `put <key> <value>`. */
  readonly usage: string;
  readonly description: string;
  readonly options?: readonly {
    /** `--limit <n>` */
    readonly flag: string;
    readonly description: string;
    readonly otherwise?: string;
  }[];
  /** Throws BAD_REQUEST for words that cannot be meant, before any node is asked. */
  readonly prepare: (input: CommandInput) => CommandCall<Client>;
}
