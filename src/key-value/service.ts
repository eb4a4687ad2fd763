import { QuorateError } from '../errors/quorate-error.js';
import { defineService } from '../seams/define-service.js';
import { UNNAMED_SERVICE } from '../wire/client-frames.js';
import { checkKeyValueCommand, keyValueCommandCodec, keyValueResultCodec, MOST_VALUE_BYTES } from './codec.js';
import type { KeyValueReader, ListQuery } from './entries.js';
import { keyValueRoutes } from './http-routes.js';
import { entryCodec, keyCodec, listQueryCodec, pageCodec } from './queries.js';

/** What clients and HTTP have of a KeyValueStore. `mostValueBytes`: how large a value may be that they write. */
export function createKeyValueService(mostValueBytes = MOST_VALUE_BYTES) {
  return defineService({
    name: UNNAMED_SERVICE,
    command: keyValueCommandCodec,
    result: keyValueResultCodec,
    queries: {
      get: { input: keyCodec, answer: entryCodec, run: (store: KeyValueReader, key: string) => store.get(key) },
      list: {
        input: listQueryCodec,
        answer: pageCodec,
        run: (store: KeyValueReader, query: ListQuery) => store.list(query),
      },
    },
    routes: keyValueRoutes,
    mostBodyBytes: mostValueBytes,
    checkCommand: (bytes) => {
      const valueBytes = checkKeyValueCommand(bytes);
      if (valueBytes <= mostValueBytes) return;
      const message = `a value has at most ${mostValueBytes} bytes, this one has ${valueBytes}`;
      throw new QuorateError('QUORATE_TOO_LARGE', message);
    },
  });
}

export const keyValueService = createKeyValueService();

export type KeyValueService = typeof keyValueService;
