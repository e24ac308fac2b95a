import { beforeEach, describe, expect, it } from 'vitest'
import { setSingleKeys, shortcutReader } from './shortcuts'

const press = (key: string, more: object = {}) => ({
  key,
  ctrlKey: false,
  metaKey: false,
  altKey: false,
  ...more,
})

describe('shortcuts', () => {
  beforeEach(() => setSingleKeys(true))

  it('are single keys and pairs of them', () => {
    const read = shortcutReader()
    expect(read(press('?'), 0, false)).toBe('help')
    expect(read(press('g'), 100, false)).toBeUndefined()
    expect(read(press('r'), 300, false)).toBe('runs')
    expect(read(press('r'), 400, false)).toBeUndefined()
    expect(read(press('g'), 500, false)).toBeUndefined()
    expect(read(press('r'), 5000, false)).toBeUndefined() // too late
  })

  it('leave text alone, but not Ctrl or Cmd with K', () => {
    const read = shortcutReader()
    expect(read(press('n'), 0, true)).toBeUndefined()
    expect(read(press('k', { ctrlKey: true }), 0, true)).toBe('palette')
    expect(read(press('k', { metaKey: true }), 0, false)).toBe('palette')
    expect(read(press('n', { ctrlKey: true }), 0, false)).toBeUndefined()
    expect(read(press('n', { altKey: true }), 0, false)).toBeUndefined()
  })

  it('can be turned off', () => {
    setSingleKeys(false)
    const read = shortcutReader()
    expect(read(press('n'), 0, false)).toBeUndefined()
    expect(read(press('k', { ctrlKey: true }), 0, false)).toBe('palette')
  })
})
