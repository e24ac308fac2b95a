import { useQueryCache } from '@pinia/colada'
import { onScopeDispose, watch } from 'vue'
import { applyRun } from './cache'
import { events, type LiveEvent } from './events'
import { currentProject } from './project'
import type { LogLine, Run, RunSummary } from './types'

const flushEvery = 100 // ms; many runs a second then cost ten updates of the page, not thousands

interface LiveHandlers {
  /** After the cache holds the run. */
  onRun?: (run: RunSummary | Run) => void
  onLogs?: (runID: string, lines: LogLine[]) => void
  /** Something was missed: ask again for what is shown. */
  onResync?: () => void
}

/** Whether a run of the lists is in another project than the chosen one. One that is watched by itself is told whole. */
function elsewhere(run: RunSummary | Run): boolean {
  return currentProject.value !== undefined && run.project_id !== currentProject.value && !('steps' in run)
}

/** Keeps the cache live for these topics for as long as the caller lives. */
export function useLive(topics: () => string[], handlers: LiveHandlers = {}): void {
  const cache = useQueryCache()
  const waiting = new Map<string, RunSummary | Run>()
  let timer: ReturnType<typeof setTimeout> | undefined

  function flush() {
    timer = undefined
    const runs = [...waiting.values()]
    waiting.clear()
    for (const run of runs) {
      applyRun(cache, run)
      handlers.onRun?.(run)
    }
  }

  function receive(event: LiveEvent) {
    if (event.type === 'resync') {
      handlers.onResync?.()
    } else if (event.type === 'logs') {
      handlers.onLogs?.(event.data.run_id, event.data.items)
    } else if (!elsewhere(event.data)) {
      // A summary that arrives after the whole run, within one flush, must not drop the steps.
      waiting.set(event.data.id, { ...waiting.get(event.data.id), ...event.data })
      timer ??= setTimeout(flush, flushEvery)
    }
  }

  let unsubscribe: (() => void) | undefined
  watch(
    () => topics().join(','),
    (joined) => {
      const before = unsubscribe
      unsubscribe = joined === '' ? undefined : events.subscribe(joined.split(','), (event) => receive(event))
      before?.()
    },
    { immediate: true },
  )
  onScopeDispose(() => {
    unsubscribe?.()
    clearTimeout(timer)
  })
}
