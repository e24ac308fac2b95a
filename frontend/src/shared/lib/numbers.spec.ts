import { describe, expect, it } from 'vitest'
import { formatNumber, formatShare, formatTick } from './numbers'

describe('numbers', () => {
  it('are grouped as the language does', () => {
    expect(formatNumber(1234567, 'en')).toBe('1,234,567')
    expect(formatNumber(1234567, 'es')).toBe('1.234.567')
  })

  it('are short on the axis of a chart', () => {
    expect(formatTick(7_500, 'en')).toBe('7,500')
    expect(formatTick(300_000, 'en')).toBe('300K')
    expect(formatTick(2_500_000, 'es')).toBe('2,5\u00a0M')
  })

  it('of shares do not round a failure away', () => {
    expect(formatShare(999_999, 1_000_000, 'en')).toBe('99.9%')
    expect(formatShare(3, 3, 'en')).toBe('100%')
    expect(formatShare(0, 0, 'en')).toBe('—')
    expect(formatShare(1, 8, 'en')).toBe('12.5%')
  })
})
