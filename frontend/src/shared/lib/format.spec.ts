import { describe, expect, it } from 'vitest'
import { elapsed, formatDuration, formatFire, formatInstant, formatRelative, parseDuration } from './format'

// Intl sets narrow and no-break spaces; what matters here is what can be read.
const plain = (text: string) => text.replace(/\s/g, ' ')

describe('formatDuration', () => {
  it.each([
    [undefined, '—'],
    [0, '0ms'],
    [850, '850ms'],
    [4_230, '4.2s'],
    [42_300, '42s'],
    [59_960, '1m'],
    [79_000, '1m 19s'],
    [3_600_000, '1h'],
    [7_500_000, '2h 5m'],
    [90_000_000, '1d 1h'],
  ])('%s ms is %s', (ms, expected) => {
    expect(plain(formatDuration(ms, 'en'))).toBe(expected)
  })
  it('speaks Spanish', () => {
    expect(plain(formatDuration(4_230, 'es'))).toBe('4,2 s')
  })
})

describe('formatRelative', () => {
  const now = Date.parse('2026-11-23T10:00:00Z')
  it.each([
    ['2026-11-23T10:00:00.200Z', 'en', 'now'],
    ['2026-11-23T10:00:20Z', 'en', 'in 20 sec.'],
    ['2026-11-23T10:20:00Z', 'en', 'in 20 min.'],
    ['2026-11-23T09:59:57Z', 'es', 'hace 3 s'],
    ['2026-11-23T10:20:00Z', 'es', 'dentro de 20 min'],
    ['2026-11-24T10:00:00Z', 'es', 'dentro de 1 d'],
    ['2027-03-01T10:00:00Z', 'en', 'in 3 mo.'],
    ['2030-11-23T10:00:00Z', 'en', 'in 4 yr.'],
  ])('%s in %s is %s', (instant, locale, expected) => {
    expect(plain(formatRelative(instant, now, locale))).toBe(expected)
  })
})

describe('formatInstant and formatFire', () => {
  it('show the zone that is asked for', () => {
    expect(plain(formatInstant('2026-07-01T10:05:06Z', 'en', 'time', 'Europe/Madrid'))).toBe('12:05:06')
    expect(plain(formatFire('2026-07-01T07:00:00Z', 'es', 'Europe/Madrid'))).toMatch(/^mié, 1 jul.* 09:00$/)
  })
  it('survive a zone or an instant that is none', () => {
    expect(formatInstant('2026-07-01T10:05:06Z', 'en', 'time', 'Not/AZone')).not.toBe('')
    expect(formatInstant('soon', 'en')).toBe('soon')
    expect(formatFire('2026-07-01T07:00:00Z', 'en', 'Not/AZone')).toBe('2026-07-01T07:00:00Z')
  })
})

it('elapsed is never negative and unknown without both ends', () => {
  expect(elapsed('2026-07-01T10:00:00Z', '2026-07-01T10:00:01.500Z')).toBe(1500)
  expect(elapsed('2026-07-01T10:00:00Z', '2026-07-01T09:00:00Z')).toBe(0)
  expect(elapsed(null, 5)).toBeUndefined()
  expect(elapsed('2026-07-01T10:00:00Z', null)).toBeUndefined()
})

it.each([
  ['90s', 90_000],
  ['1h30m', 5_400_000],
  ['250ms', 250],
  ['1.5h', 5_400_000],
  ['2d', 172_800_000],
  ['', undefined],
  ['5', undefined],
  ['5 m', undefined],
  ['-5m', undefined],
])('parseDuration(%j) is %s', (text, expected) => {
  expect(parseDuration(text)).toBe(expected)
})
