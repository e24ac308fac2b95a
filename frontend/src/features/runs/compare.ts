// What differs between two runs of a workflow.
import type { Run, StepRun } from '@/shared/api/types'
import { elapsed } from '@/shared/lib/format'

export interface StepPair {
  id: string
  name: string
  here: StepRun | undefined
  there: StepRun | undefined
  took: { here: number | undefined; there: number | undefined }
  /** How many times as long it took here; undefined when one of them did not run. */
  factor: number | undefined
  sameOutput: boolean
}

export interface KeyPair {
  key: string
  here: string | undefined
  there: string | undefined
  same: boolean
}

function took(step: StepRun | undefined): number | undefined {
  return elapsed(step?.started_at, step?.finished_at)
}

/** The steps of both, in the order of the first; those that only the second has come last. */
export function pairSteps(here: Run, there: Run): StepPair[] {
  const others = new Map(there.steps.map((step) => [step.id, step]))
  const known = new Set(here.steps.map((step) => step.id))
  const pairs: [StepRun | undefined, StepRun | undefined][] = [
    ...here.steps.map((step): [StepRun, StepRun | undefined] => [step, others.get(step.id)]),
    ...there.steps
      .filter((step) => !known.has(step.id))
      .map((step): [undefined, StepRun] => [undefined, step]),
  ]
  return pairs.map(([a, b]) => {
    const one = a ?? b
    const times = { here: took(a), there: took(b) }
    return {
      id: one?.id ?? '',
      name: one?.name || one?.id || '',
      here: a,
      there: b,
      took: times,
      factor: times.here !== undefined && times.there ? times.here / times.there : undefined,
      sameOutput: text(a?.output) === text(b?.output),
    }
  })
}

/** The members of two objects, those of the first in their order. */
export function pairKeys(here: Record<string, unknown>, there: Record<string, unknown>): KeyPair[] {
  return [...new Set([...Object.keys(here), ...Object.keys(there)])].map((key) => {
    const [a, b] = [text(here[key]), text(there[key])]
    return { key, here: a, there: b, same: a === b }
  })
}

function text(value: unknown): string | undefined {
  return value === undefined ? undefined : JSON.stringify(value, null, 2)
}
