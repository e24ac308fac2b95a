import { describe, expect, it } from 'vitest'
import { durationTicks, everyNth, ticks } from './scale'

describe('axes', () => {
  it('count in round steps and reach the highest value', () => {
    expect(ticks(0)).toEqual([0, 1])
    expect(ticks(3)).toEqual([0, 1, 2, 3])
    expect(ticks(376)).toEqual([0, 100, 200, 300, 400])
    expect(ticks(9)).toEqual([0, 2.5, 5, 7.5, 10])
  })

  it('of durations use steps that people know', () => {
    expect(durationTicks(3_500)).toEqual([0, 1000, 2000, 3000, 4000])
    expect(durationTicks(200_000)).toEqual([0, 60_000, 120_000, 180_000, 240_000])
  })

  it('leave labels out where there is no room', () => {
    expect(everyNth(14, 1400, 60)).toBe(1)
    expect(everyNth(14, 300, 60)).toBe(3)
    expect(everyNth(14, 0, 60)).toBe(840)
  })
})
