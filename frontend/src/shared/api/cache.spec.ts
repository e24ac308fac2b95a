import { describe, expect, it } from 'vitest'
import { supersedes, withRecentRun, withRun, type Pages } from './cache'
import type { RunBrief, RunPage, RunSummary, Workflow } from './types'

const created = (minute: number) => new Date(Date.UTC(2026, 10, 23, 10, minute)).toISOString()
const run = (id: string, status: RunSummary['status'], minute = 0): RunSummary => ({
  id,
  project_id: 'p',
  workflow_id: 'w',
  workflow_name: 'W',
  version: 1,
  draft: false,
  status,
  reason: null,
  trigger: 'manual',
  trigger_id: null,
  fire_at: null,
  rerun_of: null,
  cause: null,
  cancel_requested_at: null,
  created_at: created(minute),
  started_at: null,
  finished_at: null,
})
const brief = (id: string, status: RunBrief['status'], minute: number): RunBrief => ({
  id,
  status,
  created_at: created(minute),
  started_at: null,
  finished_at: null,
})

describe('withRun', () => {
  const pages: Pages<RunPage> = {
    pages: [
      { items: [run('c', 'running'), run('b', 'succeeded')], next_cursor: 'x' },
      { items: [run('a', 'failed')], next_cursor: null },
    ],
    pageParams: [undefined, 'x'],
  }
  it('replaces the row where it stands', () => {
    const next = withRun(pages, run('c', 'succeeded'))
    expect(next.pages[0]?.items.map((item) => item.status)).toEqual(['succeeded', 'succeeded'])
    expect(next.pages[1]).toBe(pages.pages[1])
    expect(pages.pages[0]?.items[0]?.status).toBe('running')
  })
  it('leaves the list alone for a run that is not in it, and for news that are old', () => {
    expect(withRun(pages, run('z', 'running'))).toBe(pages)
    expect(withRun(pages, run('b', 'running'))).toBe(pages)
  })
})

it('supersedes: what has finished does not come back to life', () => {
  expect(supersedes({ status: 'running' }, { status: 'queued' })).toBe(true)
  expect(supersedes({ status: 'queued' }, { status: 'running' })).toBe(true) // its worker was lost
  expect(supersedes({ status: 'running' }, { status: 'succeeded' })).toBe(false)
  expect(supersedes({ status: 'cancelled' }, { status: 'failed' })).toBe(true)
})

describe('withRecentRun', () => {
  const full = Array.from({ length: 14 }, (_, i) => brief(`r${i}`, 'succeeded', 30 - i))
  const workflow = { id: 'w', recent_runs: full } as unknown as Workflow
  it('puts a new run first and lets the oldest go', () => {
    const next = withRecentRun(workflow, run('new', 'queued', 40)).recent_runs
    expect(next).toHaveLength(14)
    expect(next[0]?.id).toBe('new')
    expect(next.at(-1)?.id).toBe('r12')
  })
  it('changes a run in place', () => {
    const live = {
      id: 'w',
      recent_runs: [brief('x', 'running', 5), brief('y', 'failed', 4)],
    } as unknown as Workflow
    expect(withRecentRun(live, run('x', 'failed', 5)).recent_runs.map((item) => item.status)).toEqual([
      'failed',
      'failed',
    ])
  })
  it('ignores what is older than the strip and what belongs to another workflow', () => {
    expect(withRecentRun(workflow, run('old', 'succeeded', 1))).toBe(workflow)
    expect(withRecentRun({ ...workflow, id: 'other' }, run('new', 'queued', 40)).recent_runs).toBe(full)
  })
})
