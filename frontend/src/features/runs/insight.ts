// The numbers behind the list of runs: a year of days, and how long runs took.
import { useQuery } from '@pinia/colada'
import { computed } from 'vue'
import { body, client } from '@/shared/api/client'
import type { Stats } from '@/shared/api/types'
import { displayZone } from '@/shared/lib/zone'

const day = 86_400_000
const hour = 3_600_000

/** A year of days, of one workflow or of all. */
export function useYear(workflow: () => string) {
  return useQuery<Stats>({
    key: () => ['stats', 'year', workflow(), displayZone.value],
    query: ({ signal }) =>
      body(
        client.GET('/stats', {
          params: {
            query: {
              from: new Date(Date.now() - 370 * day).toISOString(),
              timezone: displayZone.value,
              workflow_id: workflow() || undefined,
            },
          },
          signal,
        }),
      ),
    staleTime: 60_000,
  })
}

/** How long the runs between two instants took; without them, those of the last 30 days. */
export function useDurations(filter: () => { workflow: string; from: string; to: string }) {
  const asked = computed(() => durationPeriod(filter(), Date.now()))
  return useQuery<Stats>({
    key: () => ['stats', 'durations', filter().workflow, filter().from, filter().to],
    query: ({ signal }) =>
      body(
        client.GET('/stats', {
          params: { query: { ...asked.value, workflow_id: filter().workflow || undefined } },
          signal,
        }),
      ),
    staleTime: 60_000,
  })
}

/**
 * The period of a filter as the server takes it: at most 400 days; in hours where somebody chose one that hours can hold,
 * else in days, which are less to count and to send.
 */
export function durationPeriod(
  filter: { from: string; to: string },
  now: number,
): { from: string; to: string; bucket: 'hour' | 'day' } {
  const to = filter.to ? Date.parse(filter.to) : now
  let from = filter.from ? Date.parse(filter.from) : to - 30 * day
  from = Math.max(Math.min(from, to - hour), to - 399 * day)
  const chosen = filter.from !== '' || filter.to !== ''
  const bucket = chosen && to - from <= 30 * day ? 'hour' : 'day'
  return { from: new Date(from).toISOString(), to: new Date(to).toISOString(), bucket }
}
