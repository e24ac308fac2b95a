import { expect, it } from 'vitest'
import { datesOf, isDate, withDates } from './dates'

it.each([
  ['2026-02-28', true],
  ['2028-02-29', true],
  ['2026-02-29', false],
  ['2026-2-1', false],
  ['', false],
])('isDate(%j) is %s', (text, expected) => {
  expect(isDate(text)).toBe(expected)
})

it('dates are read one by one and as ranges', () => {
  expect(datesOf('2026-12-25, 2026-12-31..2027-01-02\n2026-01-06')).toEqual({
    dates: ['2026-12-25', '2026-12-31', '2027-01-01', '2027-01-02', '2026-01-06'],
    refused: [],
  })
  expect(datesOf('25/12/2026 2026-12-31..2026-12-30')).toEqual({
    dates: [],
    refused: ['25/12/2026', '2026-12-31..2026-12-30'],
  })
  expect(datesOf('')).toEqual({ dates: [], refused: [] })
})

it('a list has each date once, in order', () => {
  expect(withDates(['2026-12-25'], ['2026-01-06', '2026-12-25'])).toEqual(['2026-01-06', '2026-12-25'])
})
