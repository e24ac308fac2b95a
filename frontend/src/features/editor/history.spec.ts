import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { effectScope, ref, type Ref } from 'vue'
import { useHistory, type History } from './history'

describe('undo and redo', () => {
  let value: Ref<{ name: string }>
  let history: History
  const scope = effectScope()
  beforeEach(() => {
    vi.useFakeTimers()
    value = ref({ name: 'a' })
    history = scope.run(() => useHistory(value)) as History
  })
  afterEach(() => vi.useRealTimers())

  it('typing without a pause is one step', () => {
    value.value.name = 'ab'
    value.value.name = 'abc'
    vi.advanceTimersByTime(1000)
    value.value.name = 'x'
    vi.advanceTimersByTime(1000)
    history.undo()
    expect(value.value.name).toBe('abc')
    history.undo()
    expect(value.value.name).toBe('a')
    expect(history.canUndo.value).toBe(false)
    history.redo()
    history.redo()
    expect(value.value.name).toBe('x')
    expect(history.canRedo.value).toBe(false)
  })

  it('takes back at once what was just typed', () => {
    value.value.name = 'b'
    expect(history.canUndo.value).toBe(true)
    history.undo()
    expect(value.value.name).toBe('a')
    vi.advanceTimersByTime(1000)
    expect(history.canRedo.value).toBe(true)
  })

  it('a change after an undo makes a new future', () => {
    value.value.name = 'b'
    vi.advanceTimersByTime(1000)
    history.undo()
    value.value.name = 'c'
    vi.advanceTimersByTime(1000)
    expect(history.canRedo.value).toBe(false)
    history.undo()
    expect(value.value.name).toBe('a')
  })
})
