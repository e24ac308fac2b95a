// The sample that a step is tried with: what templates see as inputs and steps. It begins with what the last run had.
import type { Run } from '@/shared/api/types'
import { ancestors } from './graph'
import type { StepDraft } from './model'

export interface Sample {
  inputs: Record<string, unknown>
  steps: Record<string, Record<string, unknown>>
}

/** A sample for a step: everything that it waits for is in it, empty where no run says more. */
export function sampleFor(steps: readonly StepDraft[], key: string, last?: Run): Sample {
  const before = ancestors(steps, key)
  const outputs = new Map(last?.steps.map((step) => [step.id, step.output]))
  const sample: Sample = { inputs: last?.inputs ?? {}, steps: {} }
  for (const step of steps) {
    if (!before.has(step.key)) continue
    const output = outputs.get(step.id)
    sample.steps[step.id] = isObject(output) ? output : {}
  }
  return sample
}

/** The sample that a text holds; undefined when it is none. Steps that are missing are there and empty. */
export function parseSample(text: string, needed: readonly string[]): Sample | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  if (!isObject(value)) return undefined
  const { inputs = {}, steps = {}, ...others } = value
  if (!isObject(inputs) || !isObject(steps) || Object.keys(others).length > 0) return undefined
  const sample: Sample = { inputs, steps: {} }
  for (const id of needed) sample.steps[id] = {}
  for (const [id, output] of Object.entries(steps)) {
    if (!isObject(output)) return undefined
    sample.steps[id] = output
  }
  return sample
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
