import { describe, expect, it } from 'vitest'
import { cronOf, evenSteps, presetKinds, presetOf, startingPreset, type CronPreset } from './cron'

describe('cronOf and presetOf', () => {
  const pairs: [CronPreset, string][] = [
    [{ kind: 'seconds', every: 5 }, '*/5 * * * * *'],
    [{ kind: 'seconds', every: 1 }, '* * * * * *'],
    [{ kind: 'minutes', every: 1 }, '* * * * *'],
    [{ kind: 'minutes', every: 15 }, '*/15 * * * *'],
    [{ kind: 'hourly', minute: 20 }, '20 * * * *'],
    [{ kind: 'daily', hour: 9, minute: 5 }, '5 9 * * *'],
    [{ kind: 'weekly', days: [1, 2, 3, 4, 5], hour: 9, minute: 0 }, '0 9 * * MON-FRI'],
    [{ kind: 'weekly', days: [0, 6], hour: 23, minute: 59 }, '59 23 * * SUN,SAT'],
    [{ kind: 'monthly', day: 31, hour: 0, minute: 0 }, '0 0 31 * *'],
  ]
  it.each(pairs)('%j is %s, and back', (preset, cron) => {
    expect(cronOf(preset)).toBe(cron)
    expect(presetOf(cron)).toEqual(preset)
  })

  it('finds its own way back from every starting preset and every step', () => {
    for (const kind of presetKinds)
      expect(presetOf(cronOf(startingPreset(kind)))).toEqual(startingPreset(kind))
    for (const every of evenSteps) {
      expect(presetOf(cronOf({ kind: 'minutes', every }))).toEqual({ kind: 'minutes', every })
      expect(presetOf(cronOf({ kind: 'seconds', every }))).toEqual({ kind: 'seconds', every })
    }
  })

  it.each([
    ['0 9 * * 1-5', { kind: 'weekly', days: [1, 2, 3, 4, 5], hour: 9, minute: 0 }],
    ['0 9 * * mon,wed', { kind: 'weekly', days: [1, 3], hour: 9, minute: 0 }],
    ['0 9 * * 7', { kind: 'weekly', days: [0], hour: 9, minute: 0 }],
    ['  0   9 * *  5-7 ', { kind: 'weekly', days: [0, 5, 6], hour: 9, minute: 0 }],
  ])('understands how people write it: %s', (cron, preset) => {
    expect(presetOf(cron)).toEqual(preset)
  })

  it.each([
    ['', 'nothing'],
    ['@daily', 'a name'],
    ['*/7 * * * *', 'a step that does not divide the hour'],
    ['0 9 1 * 1', 'day and weekday together'],
    ['0 9 * 6 *', 'a month'],
    ['0 25 * * *', 'no such hour'],
    ['60 * * * *', 'no such minute'],
    ['0 9 * * 5-1', 'a range that goes back'],
    ['0 9 * * 1-3-5', 'a range of three'],
    ['0 9 * * FUN', 'no such day'],
    ['0 9 L * *', 'the last day'],
    ['*/5 0 * * * *', 'six fields with more than seconds'],
    ['* * * * * * *', 'seven fields'],
  ])('leaves %j as text: %s', (cron) => {
    expect(presetOf(cron)).toBeUndefined()
  })
})
