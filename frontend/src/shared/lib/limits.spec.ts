import { describe, expect, it } from 'vitest'
import { limitOf, rateOf } from './limits'

describe('limits', () => {
  it('are whole numbers, or none', () => {
    expect(limitOf(' 12 ', 100)).toBe(12)
    expect(limitOf('', 100)).toBeNull()
    for (const text of ['0', '-1', '1.5', '1e3', '101', 'many'])
      expect(limitOf(text, 100), text).toBeUndefined()
  })

  it('of rates may have fractions, as both languages write them', () => {
    expect(rateOf('0.5')).toBe(0.5)
    expect(rateOf('0,5')).toBe(0.5)
    expect(rateOf('')).toBeNull()
    for (const text of ['0', '-1', 'x', '1.2.3']) expect(rateOf(text), text).toBeUndefined()
    expect(rateOf('1.5', 2)).toBe(1.5)
    expect(rateOf('2.5', 2)).toBeUndefined()
  })
})
