import { describe, expect, it } from 'vitest'
import type { Run, StepRun } from '@/shared/api/types'
import { pairKeys, pairSteps } from './compare'

const step = (id: string, ms: number | undefined, output: unknown = null) =>
  ({
    id,
    name: '',
    output,
    started_at: ms === undefined ? null : '2026-11-25T10:00:00.000Z',
    finished_at:
      ms === undefined ? null : new Date(Date.parse('2026-11-25T10:00:00.000Z') + ms).toISOString(),
  }) as StepRun

describe('two runs', () => {
  it('are compared step by step, also where the versions differ', () => {
    const here = { steps: [step('a', 300, { n: 1 }), step('new', undefined)] } as Run
    const there = { steps: [step('a', 100, { n: 2 }), step('old', 50)] } as Run
    const pairs = pairSteps(here, there)
    expect(pairs.map((pair) => pair.id)).toEqual(['a', 'new', 'old'])
    expect(pairs[0]).toMatchObject({ factor: 3, sameOutput: false, took: { here: 300, there: 100 } })
    expect(pairs[1]).toMatchObject({ there: undefined, factor: undefined, sameOutput: false })
    expect(pairs[2]?.here).toBeUndefined()
  })

  it('are compared input by input', () => {
    expect(pairKeys({ base: 'EUR', day: 1 }, { base: 'EUR', limit: [1] })).toEqual([
      { key: 'base', here: '"EUR"', there: '"EUR"', same: true },
      { key: 'day', here: '1', there: undefined, same: false },
      { key: 'limit', here: undefined, there: '[\n  1\n]', same: false },
    ])
  })
})
