// The lines of a run's log: first what there is, page by page, then what comes. Batches become one update per frame.
import { computed, onScopeDispose, ref, shallowRef, watch } from 'vue'
import { useLive } from '@/shared/api/live'
import type { LogLine } from '@/shared/api/types'
import { fetchLogs } from './api'
import { LogBuffer } from './log-buffer'

const pageSize = 1000

export function useLogs(runID: () => string, finished: () => boolean) {
  const buffer = new LogBuffer()
  const revision = ref(0)
  const loading = ref(true)
  const failure = shallowRef<unknown>()

  let waiting: LogLine[] = []
  let frame = 0
  function take(incoming: readonly LogLine[]) {
    for (const line of incoming) waiting.push(line)
    frame ||= requestAnimationFrame(() => {
      frame = 0
      const batch = waiting
      waiting = []
      if (buffer.add(batch)) revision.value++
    })
  }

  let loads = 0
  async function load() {
    const mine = ++loads
    loading.value = true
    failure.value = undefined
    try {
      let after = buffer.lastSeq
      for (let page = 0; page * pageSize < buffer.capacity; page++) {
        const { items, next_cursor } = await fetchLogs(runID(), after, pageSize)
        if (mine !== loads) return
        take(items)
        if (!next_cursor || items.length === 0) break
        after = Number(next_cursor)
      }
    } catch (cause) {
      if (mine === loads) failure.value = cause
    } finally {
      if (mine === loads) loading.value = false
    }
  }
  void load()

  useLive(() => (finished() ? [] : [`run:${runID()}`]), {
    onLogs(id, items) {
      if (id === runID()) take(items)
    },
    onResync: () => void load(),
  })
  // The last lines may be written after the last event.
  let last: ReturnType<typeof setTimeout> | undefined
  watch(finished, (is) => {
    if (is) last = setTimeout(() => void load(), 600)
  })
  onScopeDispose(() => {
    loads++
    clearTimeout(last)
    cancelAnimationFrame(frame)
  })

  return {
    buffer,
    revision,
    loading,
    failure,
    load,
    count: computed(() => (revision.value >= 0 ? buffer.all().length : 0)),
    forgotten: computed(() => (revision.value >= 0 ? buffer.forgotten : 0)),
  }
}
