import { expect, it } from 'vitest'
import type { RunSummary } from '@/shared/api/types'
import { matches } from './run-list'

const run = { workflow_id: 'w', status: 'failed', trigger: 'schedule' } as RunSummary

it.each([
  [{}, true],
  [{ workflow: 'w' }, true],
  [{ workflow: 'other' }, false],
  [{ status: 'failed', trigger: 'schedule' } as const, true],
  [{ status: 'succeeded' } as const, false],
  [{ status: 'failed', trigger: 'manual' } as const, false],
])('a failed scheduled run of w in a list filtered by %j: %s', (filter, expected) => {
  expect(matches(run, filter)).toBe(expected)
})
