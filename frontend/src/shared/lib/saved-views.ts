// Filters of a list under a name, kept in this browser. A view is the address's query.
import { computed, ref, type Ref } from 'vue'
import { useRoute } from 'vue-router'

export interface SavedView {
  name: string
  query: Record<string, string>
}

export interface SavedViews {
  views: Readonly<Ref<readonly SavedView[]>>
  /** Saves under a name; one of the same name is replaced. */
  save: (name: string, query: Record<string, string>) => void
  remove: (name: string) => void
}

function isView(value: unknown): value is SavedView {
  if (typeof value !== 'object' || value === null) return false
  const { name, query } = value as Partial<SavedView>
  return (
    typeof name === 'string' &&
    typeof query === 'object' &&
    query !== null &&
    Object.values(query).every((text) => typeof text === 'string')
  )
}

/** The views of a list. */
export function useSavedViews(list: string): SavedViews {
  const key = `orq.views.${list}`
  const views = ref<SavedView[]>(stored())

  function stored(): SavedView[] {
    try {
      const value: unknown = JSON.parse(localStorage.getItem(key) ?? '[]')
      return Array.isArray(value) ? value.filter(isView) : []
    } catch {
      return []
    }
  }
  function keep(next: SavedView[]) {
    views.value = next
    try {
      localStorage.setItem(key, JSON.stringify(next))
    } catch {
      // Storage may be blocked; the view then lasts until the page is closed.
    }
  }
  return {
    views,
    save(name, query) {
      const rest = views.value.filter((view) => view.name !== name)
      keep([...rest, { name, query }].sort((a, b) => a.name.localeCompare(b.name)))
    },
    remove: (name) => keep(views.value.filter((view) => view.name !== name)),
  }
}

/** Whether two queries filter alike. */
export function sameQuery(a: Record<string, string>, b: Record<string, string>): boolean {
  const text = (query: Record<string, string>) => JSON.stringify(Object.entries(query).sort())
  return text(a) === text(b)
}

/** The views of a list together with what the address says now: its filters, and the view that they are. */
export function useViewsOfRoute(list: string, params: readonly string[]) {
  const route = useRoute()
  const saved = useSavedViews(list)
  const query = computed(() => {
    const set: Record<string, string> = {}
    for (const param of params) {
      const value = route.query[param]
      if (typeof value === 'string' && value !== '') set[param] = value
    }
    return set
  })
  const current = computed(() => saved.views.value.find((view) => sameQuery(view.query, query.value)))
  return { ...saved, query, current }
}
