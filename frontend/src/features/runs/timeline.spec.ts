import { describe, expect, it } from 'vitest'
import type { Attempt, Run, StepRun } from '@/shared/api/types'
import { defaultStep, spanOf, timelineRows } from './timeline'

const t0 = Date.parse('2026-11-23T10:00:00.000Z')
const at = (seconds: number) => new Date(t0 + seconds * 1000).toISOString()

function attempt(number: number, status: Attempt['status'], from: number, to: number | null): Attempt {
  return { number, status, started_at: at(from), finished_at: to === null ? null : at(to), error: null }
}
function step(
  id: string,
  status: StepRun['status'],
  attempts: Attempt[],
  more: Partial<StepRun> = {},
): StepRun {
  return {
    id,
    name: '',
    action: 'log_message',
    status,
    depends_on: [],
    attempts,
    output: null,
    error: null,
    started_at: attempts[0]?.started_at ?? null,
    finished_at: attempts.at(-1)?.finished_at ?? null,
    next_attempt_at: null,
    ...more,
  }
}
function run(steps: StepRun[], finished: number | null = 10): Run {
  return {
    id: 'r',
    project_id: 'p',
    workflow_id: 'w',
    workflow_name: 'W',
    version: 1,
    draft: false,
    status: finished === null ? 'running' : 'succeeded',
    reason: null,
    trigger: 'manual',
    trigger_id: null,
    fire_at: null,
    rerun_of: null,
    cause: null,
    cancel_requested_at: null,
    created_at: at(-1),
    started_at: at(0),
    finished_at: finished === null ? null : at(finished),
    inputs: {},
    output: null,
    parent_id: null,
    steps,
  }
}

describe('timelineRows', () => {
  it('places each attempt on the run’s time', () => {
    const [row] = timelineRows(
      run([step('a', 'succeeded', [attempt(1, 'failed', 0, 2), attempt(2, 'succeeded', 5, 10)])]),
      0,
    )
    expect(row?.bars).toEqual([
      { left: 0, width: 20, status: 'failed', number: 1 },
      { left: 50, width: 50, status: 'succeeded', number: 2 },
    ])
    expect(row?.took).toBe(10_000)
  })

  it('lets what is under way reach to now', () => {
    const rows = timelineRows(run([step('a', 'running', [attempt(1, 'running', 4, null)])], null), t0 + 8000)
    expect(rows[0]?.bars[0]).toMatchObject({ left: 50, width: 50, status: 'running' })
    expect(rows[0]?.took).toBe(4000)
  })

  it('shows the pause before the next attempt', () => {
    const waiting = step('a', 'waiting', [attempt(1, 'failed', 0, 2)], {
      next_attempt_at: at(9),
      finished_at: null,
    })
    const [row] = timelineRows(run([waiting], null), t0 + 8000)
    expect(row?.pause).toEqual({ left: 25, width: 75 })
    expect(
      timelineRows(run([step('a', 'failed', [attempt(1, 'failed', 0, 2)])]), 0)[0]?.pause,
    ).toBeUndefined()
  })

  it('keeps bars inside when the browser’s clock is behind or a result is older than the run', () => {
    const current = run(
      [step('a', 'running', [attempt(1, 'succeeded', -5, -4), attempt(2, 'running', 3, null)])],
      null,
    )
    for (const bar of timelineRows(current, t0 - 60_000)[0]?.bars ?? []) {
      expect(bar.left).toBeGreaterThanOrEqual(0)
      expect(bar.left + bar.width).toBeLessThanOrEqual(100)
    }
    expect(spanOf(current, t0 - 60_000).to).toBeGreaterThan(t0)
  })

  it('has a row without bars for a step that has not run', () => {
    const [row] = timelineRows(run([step('a', 'skipped', [])]), 0)
    expect(row).toMatchObject({ bars: [], took: undefined, pause: undefined })
  })
})

describe('defaultStep', () => {
  const done = step('done', 'succeeded', [attempt(1, 'succeeded', 0, 1)])
  const failed = step('failed', 'failed', [attempt(1, 'failed', 0, 1)])
  const running = step('running', 'running', [attempt(1, 'running', 0, null)])
  const waiting = step('waiting', 'waiting', [])
  const idle = step('idle', 'queued', [])
  it.each([
    ['the failed one first', [done, running, failed, idle], 'failed'],
    ['else what runs', [done, waiting, running], 'running'],
    ['else what waits', [done, waiting, idle], 'waiting'],
    ['else the last that ran', [done, { ...done, id: 'last' }, idle], 'last'],
    ['else the first', [idle, { ...idle, id: 'other' }], 'idle'],
  ])('%s', (_, steps, expected) => {
    expect(defaultStep(run(steps))?.id).toBe(expected)
  })
  it('is nothing in a run without steps', () => {
    expect(defaultStep(run([]))).toBeUndefined()
  })
})
