// The marks of a chart are one stop for the Tab key; the arrow keys go from mark to mark.
import { ref, type Ref } from 'vue'

export interface Roving {
  /** The mark that the Tab key reaches. */
  current: Ref<number>
  tabindex: (mark: number) => 0 | -1
  /** On the element that holds the marks, which carry data-mark with their number. */
  onKeydown: (event: KeyboardEvent) => void
  onFocusin: (event: FocusEvent) => void
}

/** Where a key leads from a mark; undefined when it is none of ours. */
export function nextMark(key: string, from: number, count: number, columns = 1): number | undefined {
  const last = count - 1
  const to = {
    ArrowRight: from + columns,
    ArrowLeft: from - columns,
    ArrowDown: columns > 1 ? from + 1 : from + columns,
    ArrowUp: columns > 1 ? from - 1 : from - columns,
    Home: 0,
    End: last,
  }[key]
  return to === undefined ? undefined : Math.min(last, Math.max(0, to))
}

export function useRoving(count: () => number, perColumn: () => number = () => 1): Roving {
  const current = ref(0)
  return {
    current,
    tabindex: (mark) => (mark === Math.min(current.value, count() - 1) ? 0 : -1),
    onKeydown(event) {
      const to = nextMark(event.key, current.value, count(), perColumn())
      if (to === undefined) return
      event.preventDefault()
      current.value = to
      const holder = event.currentTarget as Element
      holder.querySelector<SVGAElement | HTMLElement>(`[data-mark="${to}"]`)?.focus()
    },
    onFocusin(event) {
      const mark = (event.target as Element).closest('[data-mark]')?.getAttribute('data-mark')
      if (mark !== null && mark !== undefined) current.value = Number(mark)
    },
  }
}
