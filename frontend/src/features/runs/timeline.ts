// Where the bars of a run's timeline stand. The rows are the steps themselves, so list and timeline cannot disagree.
import { isFinished, type Run, type StepRun, type StepStatus } from '@/shared/api/types'

export interface Bar {
  /** Percent of the width. */
  left: number
  width: number
  status: StepStatus
  number: number
}

export interface TimelineRow {
  step: StepRun
  bars: Bar[]
  /** The pause before the attempt that is due, in percent; undefined when none is. */
  pause: { left: number; width: number } | undefined
  /** Milliseconds from the first attempt to the last end; undefined before the start. */
  took: number | undefined
}

interface Span {
  from: number
  to: number
}

/** The time that the timeline covers: from the run's start to its end, or to now. */
export function spanOf(run: Run, now: number): Span {
  const from = Date.parse(run.started_at ?? run.created_at)
  let to = run.finished_at ? Date.parse(run.finished_at) : now
  // The clocks of server and browser differ; what has been recorded is inside the span in any case.
  for (const step of run.steps) {
    for (const attempt of step.attempts) {
      const end = Date.parse(attempt.finished_at ?? attempt.started_at ?? '')
      if (end > to) to = end
    }
  }
  return { from, to: Math.max(to, from + 1) }
}

export function timelineRows(run: Run, now: number): TimelineRow[] {
  const span = spanOf(run, now)
  return run.steps.map((step) => ({
    step,
    bars: step.attempts.flatMap((attempt) => {
      if (!attempt.started_at) return []
      const end = attempt.finished_at ? Date.parse(attempt.finished_at) : span.to
      return [
        {
          ...place(span, Date.parse(attempt.started_at), end),
          status: attempt.status,
          number: attempt.number,
        },
      ]
    }),
    pause: pauseOf(step, span),
    took: tookOf(step, span),
  }))
}

function place(span: Span, from: number, to: number): { left: number; width: number } {
  const whole = span.to - span.from
  const start = clamp((from - span.from) / whole)
  const end = clamp((to - span.from) / whole)
  return { left: start * 100, width: Math.max(0, end - start) * 100 }
}

function clamp(value: number): number {
  return Math.min(1, Math.max(0, value))
}

function pauseOf(step: StepRun, span: Span): TimelineRow['pause'] {
  if (!step.next_attempt_at || isFinished(step.status) || step.status === 'running') return undefined
  const last = step.attempts.at(-1)?.finished_at
  if (!last) return undefined
  return place(span, Date.parse(last), span.to)
}

function tookOf(step: StepRun, span: Span): number | undefined {
  const from = step.started_at ?? step.attempts[0]?.started_at
  if (!from || step.status === 'skipped') return undefined
  const to = step.finished_at ? Date.parse(step.finished_at) : span.to
  return Math.max(0, to - Date.parse(from))
}

/** The step that a reader wants to see first: what failed, else what runs, else the last that has anything to say. */
export function defaultStep(run: Run): StepRun | undefined {
  const order: StepStatus[][] = [['failed'], ['running'], ['waiting', 'held']]
  for (const statuses of order) {
    const found = run.steps.find((step) => statuses.includes(step.status))
    if (found) return found
  }
  return run.steps.findLast((step) => step.attempts.length > 0) ?? run.steps[0]
}
