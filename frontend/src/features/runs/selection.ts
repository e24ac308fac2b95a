// Which rows of a list are chosen, by pointer and by keyboard.
import { computed, ref, watch, type ComputedRef, type Ref } from 'vue'

export interface Selection {
  ids: Readonly<Ref<ReadonlySet<string>>>
  all: ComputedRef<boolean>
  some: ComputedRef<boolean>
  toggle: (id: string, reach?: boolean) => void
  toggleAll: () => void
  clear: () => void
}

/** The ids between two of a list, both included, in whichever order they stand. */
export function between(list: readonly string[], a: string, b: string): string[] {
  const [i, j] = [list.indexOf(a), list.indexOf(b)]
  if (i < 0 || j < 0) return [b]
  return list.slice(Math.min(i, j), Math.max(i, j) + 1)
}

export function useSelection(listed: () => readonly string[]): Selection {
  const ids = ref<ReadonlySet<string>>(new Set())
  let anchor: string | undefined

  // What is not listed any more (another filter) is not chosen.
  watch(listed, (now) => {
    const there = new Set(now)
    if ([...ids.value].some((id) => !there.has(id)))
      ids.value = new Set([...ids.value].filter((id) => there.has(id)))
  })

  const all = computed(() => listed().length > 0 && listed().every((id) => ids.value.has(id)))
  return {
    ids,
    all,
    some: computed(() => ids.value.size > 0 && !all.value),
    /** With reach: everything from the row that was toggled last. */
    toggle(id, reach = false) {
      const next = new Set(ids.value)
      const on = !next.has(id)
      for (const one of reach && anchor ? between(listed(), anchor, id) : [id]) {
        if (on) next.add(one)
        else next.delete(one)
      }
      anchor = id
      ids.value = next
    },
    toggleAll: () => (ids.value = all.value ? new Set() : new Set(listed())),
    clear: () => (ids.value = new Set()),
  }
}
