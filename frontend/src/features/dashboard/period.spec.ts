import { describe, expect, it } from 'vitest'
import { runsOf, slotLabel, statsQuery } from './period'

const now = Date.parse('2026-11-25T10:30:00Z')

describe('the period', () => {
  it('counts today as one of its days', () => {
    expect(statsQuery('7d', now, 'Europe/Madrid').from).toBe('2026-11-19T10:30:00.000Z')
    expect(statsQuery('7d', now, 'Europe/Madrid').bucket).toBe('day')
  })

  it('of a day is made of hours', () => {
    expect(statsQuery('24h', now, 'UTC', 'w')).toEqual({
      from: '2026-11-24T11:30:00.000Z',
      to: '2026-11-25T10:30:00.000Z',
      bucket: 'hour',
      timezone: 'UTC',
      workflow_id: 'w',
    })
  })

  it('leads to the runs that it counts', () => {
    const slot = { from: '2026-11-24T23:00:00.000Z', to: '2026-11-25T23:00:00.000Z' }
    expect(runsOf(slot, 'failed')).toEqual({ name: 'runs', query: { ...slot, status: 'failed' } })
    expect(slotLabel(slot.from, 'day', 'es', 'Europe/Madrid')).toBe('25 nov')
    expect(slotLabel(slot.from, 'hour', 'en', 'Europe/Madrid')).toBe('00:00')
  })
})
