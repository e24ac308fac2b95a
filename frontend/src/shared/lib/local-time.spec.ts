import { describe, expect, it } from 'vitest'
import { fromField, toField } from './local-time'

describe('fields of date and time', () => {
  it('keep the instant', () => {
    for (const instant of ['2026-11-25T10:30:00.000Z', '2026-07-01T23:59:00.000Z'])
      expect(fromField(toField(instant))).toBe(instant)
  })

  it('are empty for what is no instant', () => {
    expect(toField('')).toBe('')
    expect(toField('yesterday')).toBe('')
    expect(fromField('')).toBe('')
  })
})
