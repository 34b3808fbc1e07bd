import { describe, expect, it } from 'vitest';
import { formatAge, formatCount, formatShare } from './format';

const NOW = Date.parse('2026-11-23T12:00:00Z');

describe('numbers', () => {
  it.each([
    [0, '0.00'],
    [0.876, '0.88'],
    [1, '1.00'],
  ])('%d as a share', (value, text) => {
    expect(formatShare(value)).toBe(text);
  });

  it.each([
    [0, '0 words'],
    [1, '1 word'],
    [1200, '1,200 words'],
  ])('%d of something', (value, text) => {
    expect(formatCount(value, 'word')).toBe(text);
  });
});

describe('ages', () => {
  it.each([
    ['2026-11-23T12:00:05Z', 'just now'], // a clock that is a little ahead
    ['2026-11-23T11:59:01Z', 'just now'],
    ['2026-11-23T11:59:00Z', '1 minute ago'],
    ['2026-11-23T10:01:00Z', '1 hour ago'],
    ['2026-11-22T11:00:00Z', 'yesterday'],
    ['2026-11-20T12:00:00Z', '3 days ago'],
  ])('%s is %s', (timestamp, text) => {
    expect(formatAge(timestamp, NOW)).toBe(text);
  });
});
