import type { StoredRecord } from '../wire/records.js';
import { encodedRecordBytes } from '../wire/records.js';

/** Records in their order, in batches that are not much larger than they need to be. */
export function inBatches(records: readonly StoredRecord[], most: number): readonly (readonly StoredRecord[])[] {
  const batches: StoredRecord[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const record of records) {
    const size = encodedRecordBytes(record);
    if (bytes + size > most) {
      batches.push([]);
      bytes = 0;
    }
    batches.at(-1)?.push(record);
    bytes += size;
  }
  return batches;
}
