import { useQuery } from '@pinia/colada'
import { computed, onScopeDispose } from 'vue'
import { body, client } from '@/shared/api/client'
import { useLive } from '@/shared/api/live'
import { isFinished, type Overview, type Stats } from '@/shared/api/types'
import { useNow } from '@/shared/lib/now'
import { displayZone } from '@/shared/lib/zone'
import { statsQuery, type Period } from './period'

const minute = 60_000
const soon = 3_000 // ms; many runs that end at once are one question
const later = 10_000 // ms, for what changes less

/** The numbers of a period, which moves with the time, and follows runs as they end. */
export function useStats(period: () => Period, workflow: () => string | undefined = () => undefined) {
  const now = useNow(minute)
  const asked = computed(() =>
    statsQuery(period(), Math.floor(now.value / minute) * minute, displayZone.value, workflow()),
  )
  const query = useQuery<Stats>({
    key: () => ['stats', period(), workflow() ?? '', displayZone.value],
    query: ({ signal }) => body(client.GET('/stats', { params: { query: asked.value }, signal })),
  })
  const follow = useSoon(() => void query.refetch(), soon)
  useLive(() => [workflow() ? `workflow:${workflow()}` : 'runs'], {
    onRun: (run) => isFinished(run.status) && follow(),
    onResync: () => void query.refetch(),
  })
  return query
}

/** What needs attention and what comes next; asked again each minute and soon after a run ended. */
export function useOverview() {
  const query = useQuery<Overview>({
    key: () => ['overview'],
    query: ({ signal }) => body(client.GET('/overview', { signal })),
  })
  const follow = useSoon(() => void query.refetch(), later)
  useLive(() => ['runs'], { onRun: (run) => (isFinished(run.status) || run.status === 'held') && follow() })
  const timer = setInterval(() => void query.refetch(), minute)
  onScopeDispose(() => clearInterval(timer))
  return query
}

/** Whether there is any workflow yet. */
export function useAnyWorkflow() {
  return useQuery<boolean>({
    key: () => ['workflows', 'any'],
    query: async ({ signal }) =>
      (await body(client.GET('/workflows', { params: { query: { limit: 1 } }, signal }))).items.length > 0,
  })
}

/** Calls once, a while after it was asked to, however often that was. */
function useSoon(call: () => void, wait: number): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined
  onScopeDispose(() => clearTimeout(timer))
  return () => {
    timer ??= setTimeout(() => {
      timer = undefined
      call()
    }, wait)
  }
}
