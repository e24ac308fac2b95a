// @vitest-environment happy-dom
import { expect, it } from 'vitest'
import type { RunSummary } from '@/shared/api/types'
import { matches } from './run-list'

const run = {
  workflow_id: 'w',
  status: 'failed',
  trigger: 'schedule',
  draft: false,
  created_at: '2026-11-25T10:00:00.000Z',
  started_at: '2026-11-25T10:00:01.000Z',
  finished_at: '2026-11-25T10:00:03.000Z',
} as RunSummary

it.each([
  [{}, true],
  [{ workflow: 'w' }, true],
  [{ workflow: 'other' }, false],
  [{ status: 'failed', trigger: 'schedule' } as const, true],
  [{ status: 'succeeded' } as const, false],
  [{ status: 'failed', trigger: 'manual' } as const, false],
  [{ from: '2026-11-25T10:00:00.000Z', to: '2026-11-25T11:00:00.000Z' }, true],
  [{ from: '2026-11-25T10:00:00.001Z' }, false],
  [{ to: '2026-11-25T10:00:00.000Z' }, false],
  [{ min: 2000, max: 2001 }, true],
  [{ max: 2000 }, false],
  [{ min: 2001 }, false],
  [{ drafts: 'show' } as const, true],
  [{ drafts: 'only' } as const, false],
])('a failed scheduled run of w in a list filtered by %j: %s', (filter, expected) => {
  expect(matches(run, filter)).toBe(expected)
})

it.each([
  [{}, false],
  [{ drafts: 'show' } as const, true],
  [{ drafts: 'only', workflow: 'w' } as const, true],
])('a run of a draft in a list filtered by %j: %s', (filter, expected) => {
  expect(matches({ ...run, draft: true }, filter)).toBe(expected)
})
