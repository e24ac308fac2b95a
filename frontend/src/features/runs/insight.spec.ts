import { describe, expect, it } from 'vitest'
import { durationPeriod } from './insight'

const now = Date.parse('2026-11-25T10:00:00Z')

describe('the period of the durations', () => {
  it('is the last 30 days when nothing is said', () => {
    expect(durationPeriod({ from: '', to: '' }, now)).toEqual({
      from: '2026-10-26T10:00:00.000Z',
      to: '2026-11-25T10:00:00.000Z',
      bucket: 'day',
    })
  })

  it('is never longer than the server counts, nor upside down', () => {
    expect(durationPeriod({ from: '2020-01-01T00:00:00Z', to: '' }, now)).toMatchObject({
      from: '2025-10-22T10:00:00.000Z',
      bucket: 'day',
    })
    expect(durationPeriod({ from: '2026-11-26T00:00:00Z', to: '2026-11-25T00:00:00Z' }, now).from).toBe(
      '2026-11-24T23:00:00.000Z',
    )
  })
})
