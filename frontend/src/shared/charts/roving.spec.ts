import { describe, expect, it } from 'vitest'
import { nextMark } from './roving'

describe('the arrow keys', () => {
  it('go from mark to mark and stop at the ends', () => {
    expect(nextMark('ArrowRight', 0, 3)).toBe(1)
    expect(nextMark('ArrowRight', 2, 3)).toBe(2)
    expect(nextMark('ArrowLeft', 0, 3)).toBe(0)
    expect(nextMark('End', 0, 3)).toBe(2)
    expect(nextMark('Home', 2, 3)).toBe(0)
    expect(nextMark('Enter', 1, 3)).toBeUndefined()
  })

  it('go by the week in a calendar, whose columns hold seven days', () => {
    expect(nextMark('ArrowRight', 10, 100, 7)).toBe(17)
    expect(nextMark('ArrowDown', 10, 100, 7)).toBe(11)
    expect(nextMark('ArrowUp', 10, 100, 7)).toBe(9)
  })
})
