import { computed, ref, watch } from 'vue'
import { keys } from '@/shared/api/cache'
import { useLive } from '@/shared/api/live'
import { usePaged } from '@/shared/api/paged'
import type { RunStatus, RunSummary, RunTrigger } from '@/shared/api/types'
import { elapsed } from '@/shared/lib/format'
import { fetchRuns, type RunQuery } from './api'

export interface RunFilter {
  workflow?: string
  status?: RunStatus
  trigger?: RunTrigger
  /** What becomes of runs of drafts; they are not listed unless it says so. */
  drafts?: 'show' | 'only'
  /** Instants; the first included, the second not. */
  from?: string
  to?: string
  /** Milliseconds that a finished run took; the first included, the second not. */
  min?: number
  max?: number
}

/** Whether a run belongs into a list with this filter. */
export function matches(run: RunSummary, filter: RunFilter): boolean {
  const made = Date.parse(run.created_at)
  const took = elapsed(run.started_at, run.finished_at)
  return (
    (!filter.from || made >= Date.parse(filter.from)) &&
    (!filter.to || made < Date.parse(filter.to)) &&
    (filter.min === undefined || (took !== undefined && took >= filter.min)) &&
    (filter.max === undefined || (took !== undefined && took < filter.max)) &&
    (!filter.workflow || run.workflow_id === filter.workflow) &&
    (!filter.status || run.status === filter.status) &&
    (!filter.trigger || run.trigger === filter.trigger) &&
    (filter.drafts === 'show' || run.draft === (filter.drafts === 'only'))
  )
}

/**
 * The runs that match the filter, newest first and live: rows that are shown change where they stand; new ones are
 * counted in `fresh` until `showFresh`, so that nothing moves under the reader.
 */
export function useRunList(filter: () => RunFilter) {
  const query = computed<RunQuery>(() => {
    const { workflow, status, trigger, drafts, from, to, min, max } = filter()
    return {
      workflow_id: workflow,
      status: status ? [status] : undefined,
      trigger,
      drafts,
      from,
      to,
      min_duration: min === undefined ? undefined : `${min}ms`,
      max_duration: max === undefined ? undefined : `${max}ms`,
    }
  })
  const list = usePaged<RunSummary>({
    key: () => keys.runList(filter()),
    fetch: (cursor, signal) => fetchRuns(query.value, cursor, signal),
  })

  const unseen = ref(new Set<string>())
  watch(query, () => unseen.value.clear())

  function notice(run: RunSummary) {
    if (!matches(run, filter()) || unseen.value.has(run.id)) return
    const newest = list.items.value[0]
    if (list.pending.value || list.items.value.some((item) => item.id === run.id)) return
    if (newest && run.created_at < newest.created_at) return
    if (!newest) void list.refetch()
    else unseen.value.add(run.id)
  }

  async function showFresh() {
    await list.refetch()
    unseen.value.clear()
  }

  useLive(() => [filter().workflow ? `workflow:${filter().workflow}` : 'runs'], {
    onRun: notice,
    onResync: () => void list.refetch(),
  })
  const shown = computed(() => new Set(list.items.value.map((item) => item.id)))
  const fresh = computed(() => [...unseen.value].filter((id) => !shown.value.has(id)).length)
  return { ...list, fresh, showFresh }
}
