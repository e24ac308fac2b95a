// Where the marks of the next day's schedules stand.
import type { Overview } from '@/shared/api/types'

type Lane = Overview['lanes'][number]

export interface DrawnLane {
  lane: Lane
  /** Percent of the width. */
  fires: { at: string; left: number }[]
  /** Where the unlisted rest of a lane that fires very often begins, in percent. */
  rest: number | undefined
}

export function drawLanes(overview: Pick<Overview, 'from' | 'to' | 'lanes'>): DrawnLane[] {
  const from = Date.parse(overview.from)
  const whole = Date.parse(overview.to) - from
  return overview.lanes.map((lane) => {
    const fires = lane.fires.map((at) => ({
      at,
      left: Math.min(100, Math.max(0, ((Date.parse(at) - from) / whole) * 100)),
    }))
    return { lane, fires, rest: lane.more ? fires.at(-1)?.left : undefined }
  })
}

/** Full hours of the reader's zone between two instants, one each `step` hours, in percent. */
export function hourMarks(
  overview: Pick<Overview, 'from' | 'to'>,
  step: number,
  locale: string,
): { left: number; label: string }[] {
  const from = Date.parse(overview.from)
  const to = Date.parse(overview.to)
  const first = new Date(from)
  first.setMinutes(60, 0, 0)
  const marks = []
  for (let at = first.getTime(); at < to; at += 3_600_000) {
    const date = new Date(at)
    if (date.getHours() % step !== 0) continue
    const label = new Intl.DateTimeFormat(locale, {
      hour: '2-digit',
      minute: '2-digit',
      hourCycle: 'h23',
    }).format(date)
    marks.push({ left: ((at - from) / (to - from)) * 100, label })
  }
  return marks
}
