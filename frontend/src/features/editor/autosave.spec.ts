import { effectScope } from 'vue'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { ApiError } from '@/shared/api/problem'
import { useAutosave } from './autosave'

const refusal = (status: number) => new ApiError({ status, code: 'x', title: 'x' })

/** A store whose saves end when the test says so. */
function setUp() {
  const saves: { value: string; end: (cause?: unknown) => Promise<void> }[] = []
  const scope = effectScope()
  const auto = scope.run(() =>
    useAutosave<string>(
      (value) =>
        new Promise<void>((resolve, reject) => {
          saves.push({
            value,
            async end(cause) {
              if (cause) reject(cause)
              else resolve()
              await vi.advanceTimersByTimeAsync(0)
            },
          })
        }),
    ),
  )!
  return { auto, saves, scope }
}

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

describe('saving by itself', () => {
  it('waits until nothing changes, and saves the last', async () => {
    const { auto, saves } = setUp()
    expect(auto.state.value).toBe('still')
    auto.change('a')
    await vi.advanceTimersByTimeAsync(900)
    auto.change('ab')
    await vi.advanceTimersByTimeAsync(900)
    expect(saves).toHaveLength(0)
    expect(auto.unsaved.value).toBe(true)
    await vi.advanceTimersByTimeAsync(100)
    expect(saves.map(({ value }) => value)).toEqual(['ab'])
    await saves[0]!.end()
    expect(auto.state.value).toBe('saved')
    expect(auto.unsaved.value).toBe(false)
  })

  it('saves one at a time, and what was typed meanwhile after it', async () => {
    const { auto, saves } = setUp()
    auto.change('a')
    const flushed = auto.flush()
    await vi.advanceTimersByTimeAsync(0)
    auto.change('ab')
    await vi.advanceTimersByTimeAsync(1000)
    expect(saves).toHaveLength(1)
    await saves[0]!.end()
    expect(saves[1]!.value).toBe('ab')
    expect(auto.state.value).toBe('saving')
    await saves[1]!.end()
    expect(await flushed).toBe(true)
  })

  it('tries again when no answer came', async () => {
    const { auto, saves } = setUp()
    auto.change('a')
    const flushed = auto.flush()
    await vi.advanceTimersByTimeAsync(0)
    await saves[0]!.end(refusal(0))
    expect(await flushed).toBe(false)
    expect(auto.state.value).toBe('failed')
    await vi.advanceTimersByTimeAsync(5000)
    await saves[1]!.end()
    expect(auto.state.value).toBe('saved')
    expect(auto.error.value).toBeUndefined()
  })

  it('does not try again what the server will never take', async () => {
    const { auto, saves } = setUp()
    auto.change('a')
    await vi.advanceTimersByTimeAsync(1000)
    await saves[0]!.end(refusal(413))
    expect(auto.state.value).toBe('failed')
    await vi.advanceTimersByTimeAsync(60_000)
    expect(saves).toHaveLength(1)
    expect(auto.unsaved.value).toBe(true)
  })

  it('stops at a conflict, and goes on as it is told', async () => {
    const { auto, saves } = setUp()
    auto.change('mine')
    await vi.advanceTimersByTimeAsync(1000)
    await saves[0]!.end(refusal(412))
    auto.change('mine too')
    await vi.advanceTimersByTimeAsync(60_000)
    expect(auto.state.value).toBe('conflict')
    expect(saves).toHaveLength(1)
    const kept = auto.settle(true)
    await vi.advanceTimersByTimeAsync(0)
    expect(saves[1]!.value).toBe('mine too')
    await saves[1]!.end()
    expect(await kept).toBe(true)
    auto.change('more')
    await vi.advanceTimersByTimeAsync(1000)
    await saves[2]!.end(refusal(412))
    expect(await auto.settle(false)).toBe(true)
    expect(auto.state.value).toBe('still')
    expect(saves).toHaveLength(3)
  })
})
