import { expect, it } from 'vitest'
import { fileName } from './download'
import { inTurn } from './in-turn'

it('does everything, a few at a time, and tells what failed', async () => {
  let open = 0
  let most = 0
  const counts: number[] = []
  const failures = await inTurn(
    [1, 2, 3, 4, 5, 6, 7],
    async (n) => {
      most = Math.max(most, ++open)
      await Promise.resolve()
      open--
      if (n === 3) throw new Error('no')
    },
    { atOnce: 3, done: (count) => counts.push(count) },
  )
  expect(failures.map(({ item }) => item)).toEqual([3])
  expect(most).toBe(3)
  expect(counts).toEqual([1, 2, 3, 4, 5, 6, 7])
  expect(await inTurn([], () => Promise.resolve())).toEqual([])
})

it.each([
  ['Daily rate: €', 'daily-rate.yaml'],
  ['Año nuevo/2026', 'ano-nuevo-2026.yaml'],
  ['日本', 'workflow.yaml'],
])('%s is the file %s', (text, name) => {
  expect(fileName(text, 'yaml')).toBe(name)
})
