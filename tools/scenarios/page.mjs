// Puts what came of the scenarios into the table of docs/failure-scenarios.md.

/** The key of a row of the table, such as `power cut of all on processes`. */
const keyOf = ({ scenario, place }) => `${scenario} on ${place}`;
const inWords = (count) => count.toLocaleString('en-US');

/** One result for each scenario and place: those of several calls of the tool are added up. */
export function summed(results) {
  const sums = new Map();
  for (const result of results) {
    const { runs, acknowledged, lost, refused, started, lostBytes, problems } = result;
    const sum = sums.get(keyOf(result));
    if (sum === undefined) sums.set(keyOf(result), result);
    else
      sums.set(keyOf(result), {
        ...sum,
        runs: sum.runs + runs,
        acknowledged: sum.acknowledged + acknowledged,
        lost: sum.lost + lost,
        refused: [...sum.refused, ...refused],
        started: [...sum.started, ...started],
        lostBytes: sum.lostBytes + lostBytes,
        problems: [...sum.problems, ...problems],
      });
  }
  return [...sums.values()];
}

/**
 * The page with the rows of these results; all others stay as they are. Throws where a run broke a promise, which no number in a table says, and
 * where there is no such row.
 */
export function withResults(page, results) {
  const rows = new Map(summed(results).map((result) => [keyOf(result), result]));
  let scenario = '';
  const lines = page.split('\n').map((line) => {
    const [first, place] = cellsOf(line);
    if (place !== 'simulator' && place !== 'processes') return line;
    if (first !== '') scenario = first;
    const result = rows.get(keyOf({ scenario, place }));
    rows.delete(keyOf({ scenario, place }));
    return result === undefined ? line : rowFor(first, result);
  });
  if (rows.size > 0) throw new Error(`expected a row for each result, found none for ${[...rows.keys()].join(', ')}`);
  return lines.join('\n');
}

const cellsOf = (line) =>
  line
    .split('|')
    .slice(1)
    .map((cell) => cell.trim());

function rowFor(first, result) {
  const { scenario, place, runs, acknowledged, lost, problems } = result;
  if (problems.length > 0) throw new Error(`${scenario} on ${place}: ${problems[0]}`);
  return row([first, place, inWords(runs), inWords(acknowledged), inWords(lost), besides(result)]);
}

const row = (cells) => `|${cells.map((cell) => (cell === '' ? ' ' : ` ${cell} `)).join('|')}|`;

function besides({ scenario, runs, refused, started, lostBytes }) {
  if (scenario.startsWith('kill')) return `${inWords(started.length)} killed in the midst of one`;
  if (!scenario.startsWith('bit flips'))
    return lostBytes > 0 ? `${inWords(lostBytes)} bytes of writes that were not synced are gone` : '';
  const without = runs - refused.length - started.length;
  const none = without > 0 ? `; no such file in ${inWords(without)} of the runs` : '';
  return `${inWords(refused.length)} starts refused, ${inWords(started.length)} without loss${none}`;
}
