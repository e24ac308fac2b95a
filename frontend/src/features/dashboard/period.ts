// What the numbers of the dashboard are about, and where their marks lead.
import type { LocationQueryRaw } from 'vue-router'
import type { RunStatus } from '@/shared/api/types'

export const periods = ['24h', '7d', '14d', '30d', '90d'] as const
export type Period = (typeof periods)[number]

const hours: Record<Period, number> = { '24h': 24, '7d': 168, '14d': 336, '30d': 720, '90d': 2160 }

export interface StatsQuery {
  from: string
  to: string
  bucket: 'hour' | 'day'
  timezone: string
  workflow_id?: string
}

/** The question for the server: whole hours of the last day, whole days of anything longer. */
export function statsQuery(period: Period, now: number, timezone: string, workflow?: string): StatsQuery {
  const hour = 3_600_000
  const bucket = period === '24h' ? 'hour' : 'day'
  // Days are counted with today, so that seven days are seven bars.
  const back = bucket === 'hour' ? hours[period] - 1 : hours[period] - 24
  return {
    from: new Date(now - back * hour).toISOString(),
    to: new Date(now).toISOString(),
    bucket,
    timezone,
    workflow_id: workflow || undefined,
  }
}

/** The list of runs that a mark counts. */
export function runsOf(
  slot: { from: string; to: string },
  status?: RunStatus,
  workflow?: string,
): { name: 'runs'; query: LocationQueryRaw } {
  return { name: 'runs', query: { from: slot.from, to: slot.to, status, workflow: workflow || undefined } }
}

export function slotLabel(from: string, bucket: 'hour' | 'day', locale: string, zone: string): string {
  const options: Intl.DateTimeFormatOptions =
    bucket === 'hour'
      ? { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }
      : { day: 'numeric', month: 'short' }
  return new Intl.DateTimeFormat(locale, { ...options, timeZone: zone }).format(new Date(from))
}
