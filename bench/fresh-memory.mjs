/**
 * How long this machine takes to hand out memory, which is a part of every restart: entries of 280 bytes are copied into pages of 1 MiB, new ones
 * and then one and the same. `node bench/fresh-memory.mjs [megabytes]`, by default 1,150.
 */
const megabytes = Number(process.argv[2] ?? 1_150);
const PAGE_BYTES = 2 ** 20;
const entry = new Uint8Array(280).fill(7);
const kept = [];

function fill(nextPage) {
  const begun = performance.now();
  for (let count = 0; count < megabytes; count += 1) {
    const page = nextPage();
    for (let at = 0; at + entry.byteLength <= PAGE_BYTES; at += entry.byteLength) page.set(entry, at);
  }
  return ((performance.now() - begun) / 1_000).toFixed(1);
}

const fresh = fill(() => {
  const page = new Uint8Array(PAGE_BYTES);
  kept.push(page);
  return page;
});
const same = fill(() => kept[0]);
console.log(`${megabytes} MB: ${fresh} s into new pages, ${same} s into the same page again and again`);
