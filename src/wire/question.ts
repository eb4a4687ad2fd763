import type { Consistency } from '../calls/call-options.js';
import { CONSISTENCIES } from '../calls/call-options.js';
import { ByteReader, ByteWriter, encodeText, MalformedBytes } from './bytes.js';
import type { Operation } from './client-frames.js';

/** A query of a service, on its way from a client to a node. */
export interface QuestionBytes {
  /** The query's name. */
  readonly name: string;
  readonly consistency: Consistency;
  /** The query's input, encoded by its codec. */
  readonly input: Uint8Array;
}

const MOST_NAME_BYTES = 1_024;

/** Which operation asks for it, and the payload of the request. */
export function encodeQuestion({ name, consistency, input }: QuestionBytes): {
  readonly operation: Operation;
  readonly payload: Uint8Array;
} {
  const level = CONSISTENCIES.indexOf(consistency);
  if (name === 'get' || name === 'list')
    return { operation: name, payload: new ByteWriter(1 + input.byteLength).u8(level).run(input).bytes };
  const text = encodeText(name);
  const writer = new ByteWriter(1 + 4 + text.byteLength + input.byteLength);
  return { operation: 'query', payload: writer.u8(level).text(text).run(input).bytes };
}

/** `input` is a view of `payload`. Throws MalformedBytes. */
export function decodeQuestion(operation: Exclude<Operation, 'propose'>, payload: Uint8Array): QuestionBytes {
  const reader = new ByteReader(payload);
  const consistency = CONSISTENCIES[reader.u8()];
  if (consistency === undefined) throw new MalformedBytes('an unknown consistency');
  const name = operation === 'query' ? reader.text(MOST_NAME_BYTES) : operation;
  return { name, consistency, input: reader.run(reader.left) };
}
