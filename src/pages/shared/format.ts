const WHOLE = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

/** Thousands separated: `4,821,480`. */
export const whole = (value: number): string => WHOLE.format(value);

/** A difference from another number, with a real minus sign: `−138`. */
export const difference = (value: number): string =>
  value === 0 ? '0' : `${value < 0 ? '−' : '+'}${whole(Math.abs(value))}`;

/** Milliseconds as people read them: `4.1 ms`, `188 ms`, `6.2 s`, `4 min`, `3 h 12 min`. */
export function duration(ms: number): string {
  if (ms < 10) return `${ms.toFixed(1)} ms`;
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  const seconds = ms / 1_000;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** A latency, to a tenth of a millisecond where that says something: `4.1 ms`, `11.8 ms`, `230 ms`, `1.2 s`. */
export const latency = (ms: number): string => (ms >= 10 && ms < 100 ? `${ms.toFixed(1)} ms` : duration(ms));

/** Local time of day: `14:03:21`, and its milliseconds: `.108`. */
export function timeOfDay(atMs: number): { readonly time: string; readonly fraction: string } {
  const date = new Date(atMs);
  const two = (value: number): string => String(value).padStart(2, '0');
  return {
    time: `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`,
    fraction: `.${String(date.getMilliseconds()).padStart(3, '0')}`,
  };
}

/** A count that must stay short: `310`, `11.8k`, `4.2M`. */
export function short(value: number): string {
  if (value < 1_000) return whole(value);
  if (value < 1_000_000) return `${trimmed(value / 1_000)}k`;
  return `${trimmed(value / 1_000_000)}M`;
}

const trimmed = (value: number): string => (value < 100 ? value.toFixed(1).replace(/\.0$/, '') : whole(value));
