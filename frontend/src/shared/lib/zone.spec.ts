import { describe, expect, it } from 'vitest'
import { fromLocalInput, isZone, toLocalInput } from './zone'

describe('a local date field', () => {
  it.each([
    ['2026-05-04T10:20:00.000Z', 'Europe/Madrid', '2026-05-04T12:20'],
    ['2026-01-04T10:20:00.000Z', 'Europe/Madrid', '2026-01-04T11:20'],
    ['2026-01-04T02:20:00.000Z', 'America/Bogota', '2026-01-03T21:20'],
    ['2026-01-04T02:20:00.000Z', 'Asia/Kathmandu', '2026-01-04T08:05'],
    ['2026-10-25T00:30:00.000Z', 'Europe/Madrid', '2026-10-25T02:30'], // comes twice: the first
  ])('%s in %s is %s, and back', (instant, zone, text) => {
    expect(toLocalInput(instant, zone)).toBe(text)
    expect(fromLocalInput(text, zone)).toBe(instant)
  })
  it('moves a time that does not exist behind the change', () => {
    expect(fromLocalInput('2026-03-29T02:30', 'Europe/Madrid')).toBe('2026-03-29T01:30:00.000Z')
  })
  it('has no instant for what is none', () => {
    expect(fromLocalInput('', 'UTC')).toBeUndefined()
    expect(fromLocalInput('2026-13-40T00:00', 'UTC')).toBeUndefined()
    expect(toLocalInput('soon', 'UTC')).toBe('')
  })
})

it('knows zones', () => {
  expect(isZone('Europe/Madrid')).toBe(true)
  expect(isZone('Madrid')).toBe(false)
  expect(isZone('')).toBe(false)
})
