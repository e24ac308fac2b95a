// What the command palette offers, and how well it fits what was typed.
import { ref } from 'vue'

/** Whether the palette is, or is to be, open. */
export const paletteWanted = ref(false)

export interface PaletteItem {
  id: string
  group: 'workflows' | 'pages' | 'actions'
  label: string
  /** What stands beside it, quietly. */
  detail?: string
  /** Further words by which it is found. */
  words?: string
}

function plain(text: string): string {
  return text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase()
}

/** How well an item fits: 0 not at all; more is better. Every word has to be found; beginnings count more. */
export function fit(item: PaletteItem, typed: string): number {
  const wanted = plain(typed).split(/\s+/).filter(Boolean)
  const label = plain(item.label)
  const all = `${label} ${plain(item.words ?? '')}`
  let score = 1
  for (const word of wanted) {
    if (label.startsWith(word)) score += 4
    else if (new RegExp(`(^|[^a-z0-9])${word.replace(/[^\p{L}\p{N}]/gu, '.')}`, 'u').test(all)) score += 2
    else if (all.includes(word)) score += 1
    else return 0
  }
  return score
}

/** The items that fit, the best first; of equals the earlier. */
export function fitting<T extends PaletteItem>(items: readonly T[], typed: string): T[] {
  return items
    .map((item, i) => ({ item, i, score: fit(item, typed) }))
    .filter(({ score }) => score > 0)
    .sort((a, b) => b.score - a.score || a.i - b.i)
    .map(({ item }) => item)
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/** Whether what was typed or pasted is the id of a run or a workflow. */
export function isID(typed: string): boolean {
  return uuid.test(typed.trim())
}
