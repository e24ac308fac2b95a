// What is typed and not saved yet, kept in the browser as well: a tab that is closed or reloaded a moment too early, or while
// the server is away, loses nothing.
import type { Saved } from './saved'

export interface LocalCopy {
  /** Of the draft on the server that it was typed over; "" when there was none. */
  etag: string
  definition: Saved
}

const prefix = 'orq.draft.'

export function keepLocalCopy(id: string, copy: LocalCopy): void {
  try {
    localStorage.setItem(prefix + id, JSON.stringify(copy))
  } catch {
    // Storage may be blocked or full; then the save on the server has to do.
  }
}

export function dropLocalCopy(id: string): void {
  try {
    localStorage.removeItem(prefix + id)
  } catch {
    // It was not kept either.
  }
}

export function localCopy(id: string): LocalCopy | undefined {
  try {
    const copy = JSON.parse(localStorage.getItem(prefix + id) ?? 'null') as LocalCopy | null
    return copy && typeof copy.definition === 'object' ? copy : undefined
  } catch {
    return undefined
  }
}
