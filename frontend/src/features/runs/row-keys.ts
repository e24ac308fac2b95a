// The keyboard in a list of runs. Keys work while the focus is in a row, so that they take nothing from the page.
import type { Selection } from './selection'

function rowOf(target: EventTarget | null): HTMLElement | null {
  return target instanceof Element ? target.closest<HTMLElement>('[data-row]') : null
}

function go(row: HTMLElement, by: 1 | -1): HTMLElement | undefined {
  const next = by === 1 ? row.nextElementSibling : row.previousElementSibling
  if (!(next instanceof HTMLElement) || next.dataset.row === undefined) return undefined
  next.querySelector<HTMLElement>('a')?.focus()
  return next
}

export function onRowKey(event: KeyboardEvent, selection: Selection): void {
  const row = rowOf(event.target)
  if (event.key === 'Escape' && selection.ids.value.size > 0) {
    event.preventDefault()
    selection.clear()
    return
  }
  const id = row?.dataset.row
  if (!row || !id) return
  const isBox = event.target instanceof HTMLInputElement
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'a') {
    event.preventDefault()
    selection.toggleAll()
  } else if (event.key === ' ' && !isBox) {
    event.preventDefault()
    selection.toggle(id, event.shiftKey)
  } else if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
    event.preventDefault()
    const next = go(row, event.key === 'ArrowDown' ? 1 : -1)
    if (!next || !event.shiftKey) return
    if (!selection.ids.value.has(id)) selection.toggle(id)
    const to = next.dataset.row
    if (to && !selection.ids.value.has(to)) selection.toggle(to)
  }
}
