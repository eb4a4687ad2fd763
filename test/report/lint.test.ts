import { expect, test } from '@jest/globals';
import { lint, parseMetrics } from '../http/prometheus-text.js';

const problems = (name: string, type: string, { help = 'Help.', labels = '' } = {}): readonly string[] => {
  return lint([...parseMetrics(`# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${name}${labels} 1\n`).values()]);
};

test.each([
  ['quorate_puts', 'counter', {}, 'a counter should end in _total'],
  ['quorate_term_total', 'gauge', {}, 'only a counter should end in _total'],
  ['quorate_term_count', 'gauge', {}, 'a reserved suffix'],
  ['quorate_term', 'gauge', { labels: '{le="1"}' }, 'a reserved label'],
  ['quorate_sync_milliseconds', 'gauge', {}, 'no base unit'],
  ['quorate_sync_ms', 'gauge', {}, 'no base unit'],
  ['quorate_term_gauge', 'gauge', {}, 'the type in its name'],
  ['quorate_lastIndex', 'gauge', {}, 'camelCase'],
  ['quorate:term', 'gauge', {}, 'a colon is for recording rules'],
  ['quorate_term', 'gauge', { help: ' ' }, 'no help text'],
])('the rules find what is wrong with %s, a %s', (name, type, more, problem) => {
  expect(problems(name, type, more)).toEqual([`${name}: ${problem}`]);
});

test('the rules let be what is right', () => {
  expect(problems('quorate_puts_total', 'counter')).toEqual([]);
  expect(problems('quorate_log_unsynced_bytes', 'gauge', { labels: '{peer="n1"}' })).toEqual([]);
});

test('what is no metric is refused', () => {
  expect(() => parseMetrics('# TYPE a gauge\nb 1\n')).toThrow();
  expect(() => parseMetrics('# TYPE a gauge\na one\n')).toThrow();
});
