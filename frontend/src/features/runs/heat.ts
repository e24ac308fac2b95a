// A year of days as columns of weeks, Monday first, and how much there was on each.
import type { Stats } from '@/shared/api/types'

type Slot = Stats['buckets'][number]

export interface HeatDay {
  slot: Slot
  /** 0 (nothing) to 4 (as much as on the busiest days). */
  level: number
  total: number
  column: number
  /** 0 is Monday. */
  row: number
}

/** The weekday in a zone, 0 for Monday. */
function weekday(instant: string, zone: string): number {
  const name = new Intl.DateTimeFormat('en', { weekday: 'short', timeZone: zone }).format(new Date(instant))
  return ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'].indexOf(name)
}

/** The days of the last `weeks` weeks; levels grow with the square root, so that quiet days differ too. */
export function heatDays(stats: Pick<Stats, 'buckets' | 'timezone'>, weeks: number): HeatDay[] {
  const slots = stats.buckets
  const last = slots.at(-1)
  if (!last || weeks < 1) return []
  const lastRow = weekday(last.from, stats.timezone)
  const shown = slots.slice(-Math.max(1, (weeks - 1) * 7 + lastRow + 1))
  const totals = shown.map((slot) => slot.succeeded + slot.failed + slot.cancelled)
  const most = Math.max(1, ...totals)
  const first = weekday(shown[0]?.from ?? last.from, stats.timezone)
  return shown.map((slot, i) => {
    const total = totals[i] ?? 0
    return {
      slot,
      total,
      level: total === 0 ? 0 : Math.max(1, Math.ceil(4 * Math.sqrt(total / most))),
      column: Math.floor((first + i) / 7),
      row: (first + i) % 7,
    }
  })
}

/** The columns in which months begin, with their names; those that would stand too close to the one before are left out. */
export function monthMarks(
  days: readonly HeatDay[],
  zone: string,
  locale: string,
): { column: number; label: string }[] {
  const format = new Intl.DateTimeFormat(locale, { month: 'short', timeZone: zone })
  const marks: { column: number; label: string }[] = []
  let before = ''
  for (const day of days) {
    const label = format.format(new Date(day.slot.from))
    if (label === before) continue
    before = label
    const last = marks.at(-1)
    if (last && day.column - last.column < 3) marks.pop()
    marks.push({ column: day.column, label })
  }
  return marks
}
