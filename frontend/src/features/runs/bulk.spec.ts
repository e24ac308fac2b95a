import { describe, expect, it } from 'vitest'
import { inBulk } from './bulk'

describe('many at once', () => {
  it('are done a few at a time, and failures stop nobody', async () => {
    let now = 0
    let most = 0
    const told: number[] = []
    const results = await inBulk(
      [1, 2, 3, 4, 5, 6, 7],
      async (n) => {
        most = Math.max(most, ++now)
        await Promise.resolve()
        now--
        if (n === 3) throw new Error('no')
      },
      (done) => told.push(done),
      3,
    )
    expect(most).toBe(3)
    expect(told).toEqual([1, 2, 3, 4, 5, 6, 7])
    expect(results.map((result) => result.error !== undefined)).toEqual([
      false,
      false,
      true,
      false,
      false,
      false,
      false,
    ])
  })

  it('may be none', async () => {
    expect(
      await inBulk(
        [],
        () => Promise.reject(new Error()),
        () => undefined,
      ),
    ).toEqual([])
  })
})
