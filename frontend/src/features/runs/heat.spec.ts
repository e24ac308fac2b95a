import { describe, expect, it } from 'vitest'
import { heatDays, monthMarks } from './heat'

const day = 86_400_000
const buckets = (n: number, total: (i: number) => number) =>
  Array.from({ length: n }, (_, i) => ({
    from: new Date(Date.parse('2026-11-25T00:00:00Z') - (n - 1 - i) * day).toISOString(),
    to: new Date(Date.parse('2026-11-26T00:00:00Z') - (n - 1 - i) * day).toISOString(),
    succeeded: total(i),
    failed: 0,
    cancelled: 0,
    p50_ms: null,
    p95_ms: null,
  }))

describe('the calendar', () => {
  it('has a column for each week, and today in the last one', () => {
    const days = heatDays({ buckets: buckets(366, () => 0), timezone: 'UTC' }, 10)
    expect(days).toHaveLength(9 * 7 + 3) // 25 November 2026 is a Wednesday
    expect(days[0]).toMatchObject({ column: 0, row: 0 })
    expect(days.at(-1)).toMatchObject({ column: 9, row: 2, level: 0 })
  })

  it('tells busy days from quiet ones', () => {
    const days = heatDays({ buckets: buckets(4, (i) => [0, 1, 25, 100][i] ?? 0), timezone: 'UTC' }, 2)
    expect(days.map((item) => item.level)).toEqual([0, 1, 2, 4])
  })

  it('begins inside of a week when there are not enough days', () => {
    const days = heatDays({ buckets: buckets(5, () => 1), timezone: 'UTC' }, 53)
    expect(days[0]).toMatchObject({ column: 0, row: 5 })
    expect(days.at(-1)).toMatchObject({ column: 1, row: 2 })
  })

  it('names months where they begin', () => {
    const days = heatDays({ buckets: buckets(100, () => 0), timezone: 'UTC' }, 13)
    expect(monthMarks(days, 'UTC', 'en').map((mark) => mark.label)).toEqual(['Sep', 'Oct', 'Nov'])
  })
})
