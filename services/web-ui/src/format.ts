const share = new Intl.NumberFormat('en', { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const count = new Intl.NumberFormat('en');
const moment = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'short' });
const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });

const UNITS: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
];

/** 0.871 -> "0.87" */
export function formatShare(value: number): string {
  return share.format(value);
}

/** 1, "word" -> "1 word"; 1200, "word" -> "1,200 words" */
export function formatCount(value: number, noun: string): string {
  return `${count.format(value)} ${noun}${value === 1 ? '' : 's'}`;
}

export function formatMoment(timestamp: string): string {
  return moment.format(new Date(timestamp));
}

/** How long ago, such as "5 minutes ago"; both in the same clock, milliseconds for `now`. */
export function formatAge(timestamp: string, now: number): string {
  const seconds = (now - Date.parse(timestamp)) / 1000;
  for (const [unit, length] of UNITS) {
    if (seconds >= length) return relative.format(-Math.floor(seconds / length), unit);
  }
  return 'just now';
}
