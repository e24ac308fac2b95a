import { describe, expect, it } from 'vitest'
import type { Run } from '@/shared/api/types'
import { newStep, type StepDraft } from './model'
import { parseSample, sampleFor } from './samples'

const step = (id: string, ...dependsOn: StepDraft[]): StepDraft => ({
  ...newStep('log_message', []),
  id,
  dependsOn: dependsOn.map(({ key }) => key),
})
const a = step('a')
const b = step('b', a)
const c = step('c', b)
const d = step('d')

describe('sampleFor', () => {
  it('holds what the step waits for, near and far', () => {
    expect(sampleFor([a, b, c, d], c.key)).toEqual({ inputs: {}, steps: { a: {}, b: {} } })
    expect(sampleFor([a, b, c, d], d.key)).toEqual({ inputs: {}, steps: {} })
  })
  it('begins with what the last run had', () => {
    const last = {
      inputs: { x: 1 },
      steps: [
        { id: 'a', output: { status: 200 } },
        { id: 'b', output: null },
        { id: 'd', output: { status: 500 } },
      ],
    } as unknown as Run
    expect(sampleFor([a, b, c, d], c.key, last)).toEqual({
      inputs: { x: 1 },
      steps: { a: { status: 200 }, b: {} },
    })
  })
})

it.each([
  ['{}', { inputs: {}, steps: { a: {} } }],
  ['{"inputs": {"x": 1}, "steps": {"a": {"y": 2}}}', { inputs: { x: 1 }, steps: { a: { y: 2 } } }],
  ['[]', undefined],
  ['{', undefined],
  ['{"steps": {"a": 1}}', undefined],
  ['{"input": {}}', undefined],
])('parseSample(%j)', (text, expected) => {
  expect(parseSample(text, ['a'])).toEqual(expected)
})
