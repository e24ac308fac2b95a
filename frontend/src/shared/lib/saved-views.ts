// Named filters of a list. They are kept in the browser, apart for each person: they are the habits of one reader, hold no
// data of the installation, and are needed before anything else is loaded.
import { ref, type Ref } from 'vue'

export interface SavedView {
  name: string
  /** The parameters of the address. */
  query: Record<string, string>
}

const most = 30

function read(key: string): SavedView[] {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(key) ?? '[]')
    if (!Array.isArray(value)) return []
    return value.filter(
      (item): item is SavedView =>
        typeof item === 'object' &&
        item !== null &&
        typeof (item as SavedView).name === 'string' &&
        typeof (item as SavedView).query === 'object' &&
        (item as SavedView).query !== null,
    )
  } catch {
    return []
  }
}

export function useSavedViews(
  page: string,
  person: string,
): {
  views: Readonly<Ref<readonly SavedView[]>>
  save: (name: string, query: Record<string, string>) => void
  remove: (name: string) => void
} {
  const key = `orq.views.${page}.${person}`
  const views = ref<readonly SavedView[]>(read(key))
  function write(next: SavedView[]) {
    views.value = next
    try {
      localStorage.setItem(key, JSON.stringify(next))
    } catch {
      // Storage may be blocked; the view then lasts until the page is closed.
    }
  }
  return {
    views,
    /** One of the same name is replaced. */
    save: (name, query) =>
      write(
        [...read(key).filter((view) => view.name !== name), { name, query }]
          .sort((a, b) => a.name.localeCompare(b.name))
          .slice(0, most),
      ),
    remove: (name) => write(read(key).filter((view) => view.name !== name)),
  }
}

/** What an address holds, as a view keeps it: texts only, in a fixed order. */
export function viewQuery(query: Record<string, unknown>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(query)
      .filter((entry): entry is [string, string] => typeof entry[1] === 'string' && entry[1] !== '')
      .sort(([a], [b]) => a.localeCompare(b)),
  )
}

export function sameQuery(a: Record<string, string>, b: Record<string, string>): boolean {
  return JSON.stringify(viewQuery(a)) === JSON.stringify(viewQuery(b))
}
