import type { Disk } from '../seams/disk.js';
import type { KnownAddresses } from '../seams/known-addresses.js';
import { readWhole, writeWhole } from './whole-file.js';

export const ADDRESS_FILE = 'addresses.json';
const FILE = { name: ADDRESS_FILE, temporaryName: 'addresses.tmp' };
const FORMAT_VERSION = 1;
/** Names of peers change seldom; of more than this the ones that were noted first are dropped. */
const MOST_NAMES = 64;

type Addresses = ReadonlyMap<string, string>;

/**
 * The addresses at which peers were last reached, by host name. The file is a hint that a node can do without: one that is
 * missing, damaged or another directory's holds nothing, and one that cannot be written is written with the next address.
 */
export class AddressFile implements KnownAddresses {
  readonly #disk: Disk;
  readonly #incarnation: string;
  #addresses: Addresses;
  /** The addresses that the file holds. */
  #written: Addresses;
  #isWriting = false;
  #whenClosed: (() => void) | undefined;

  constructor(disk: Disk, incarnation: string, addresses: Addresses = new Map()) {
    this.#disk = disk;
    this.#incarnation = incarnation;
    this.#addresses = addresses;
    this.#written = addresses;
  }

  addressOf(name: string): string | undefined {
    return this.#addresses.get(name);
  }

  remember(name: string, address: string): void {
    if (this.#whenClosed !== undefined) return;
    if (this.#addresses.get(name) !== address) {
      const others = [...this.#addresses].filter(([other]) => other !== name);
      this.#addresses = new Map([...others, [name, address] as const].slice(-MOST_NAMES));
    }
    this.#write();
  }

  /** Writes nothing more, and calls back once no write is under way: from then on another process may own the directory. */
  close(done: () => void): void {
    this.#whenClosed = done;
    if (!this.#isWriting) done();
  }

  #write(): void {
    if (this.#isWriting || this.#addresses === this.#written) return;
    this.#isWriting = true;
    const addresses = this.#addresses;
    const fields = {
      version: FORMAT_VERSION,
      incarnation: this.#incarnation,
      addresses: Object.fromEntries(addresses),
    };
    const bytes = new TextEncoder().encode(`${JSON.stringify(fields)}\n`);
    writeWhole(this.#disk, FILE, bytes, (error) => {
      this.#isWriting = false;
      if (error === undefined) this.#written = addresses;
      if (this.#whenClosed !== undefined) this.#whenClosed();
      else if (error === undefined) this.#write();
    });
  }
}

/** Reads the file of a directory whose files are `names`. It never fails. */
export function readAddresses(
  { disk, incarnation, names }: { disk: Disk; incarnation: string; names: readonly string[] },
  done: (file: AddressFile) => void,
): void {
  if (!names.includes(ADDRESS_FILE)) return done(new AddressFile(disk, incarnation));
  readWhole(disk, ADDRESS_FILE, (_error, bytes) => {
    done(new AddressFile(disk, incarnation, bytes === undefined ? undefined : addressesIn(bytes, incarnation)));
  });
}

function addressesIn(bytes: Uint8Array, incarnation: string): Addresses | undefined {
  try {
    const found = Object(JSON.parse(new TextDecoder().decode(bytes))) as Record<string, unknown>;
    if (found.version !== FORMAT_VERSION || found.incarnation !== incarnation) return undefined;
    const pairs = Object.entries(Object(found.addresses)).filter(([, address]) => isAddress(address));
    return new Map((pairs as [string, string][]).slice(-MOST_NAMES));
  } catch {
    return undefined;
  }
}

/** Digits, dots and colons, as IP addresses have; a name here would be looked up. */
function isAddress(value: unknown): value is string {
  return typeof value === 'string' && /^(\d{1,3}(\.\d{1,3}){3}|[\da-fA-F:.]*:[\da-fA-F:.]*(%\w+)?)$/.test(value);
}
