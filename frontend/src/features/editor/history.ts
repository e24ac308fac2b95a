// Undo and redo: the draft's past and future as snapshots. Typing becomes one step of it when it pauses.
import { computed, onScopeDispose, ref, watch, type Ref } from 'vue'

const pause = 400 // ms
const longest = 200

export interface History {
  canUndo: Readonly<Ref<boolean>>
  canRedo: Readonly<Ref<boolean>>
  undo: () => void
  redo: () => void
}

/** Remembers every state of a value that can be written as JSON. */
export function useHistory<T>(value: Ref<T>): History {
  let present = JSON.stringify(value.value)
  const past = ref<string[]>([])
  const future = ref<string[]>([])
  const pending = ref(false)
  let timer: ReturnType<typeof setTimeout> | undefined

  function settle() {
    clearTimeout(timer)
    pending.value = false
    const next = JSON.stringify(value.value)
    if (next === present) return
    past.value = [...past.value.slice(1 - longest), present]
    future.value = []
    present = next
  }
  watch(
    value,
    () => {
      pending.value = true
      clearTimeout(timer)
      timer = setTimeout(settle, pause)
    },
    { deep: true, flush: 'sync' },
  )
  onScopeDispose(() => clearTimeout(timer))

  function show(next: string) {
    present = next
    value.value = JSON.parse(next) as T
    clearTimeout(timer)
    pending.value = false
  }
  return {
    canUndo: computed(() => past.value.length > 0 || pending.value),
    canRedo: computed(() => future.value.length > 0 && !pending.value),
    undo() {
      settle()
      const last = past.value.at(-1)
      if (last === undefined) return
      past.value = past.value.slice(0, -1)
      future.value = [...future.value, present]
      show(last)
    },
    redo() {
      settle()
      const next = future.value.at(-1)
      if (next === undefined) return
      future.value = future.value.slice(0, -1)
      past.value = [...past.value, present]
      show(next)
    },
  }
}
