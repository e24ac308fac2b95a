// Languages: English and Spanish, each a chunk of its own. The choice is kept in the browser; without one the browser's
// language decides.
import { computed, ref, shallowRef } from 'vue'
import { say, type Values } from './message'

export type Locale = 'en' | 'es'
export const locales: readonly Locale[] = ['en', 'es']

const storageKey = 'orq.locale'

type Tree = { readonly [key: string]: string | Tree }

const loaders: Record<Locale, () => Promise<{ default: Tree }>> = {
  en: () => import('./locales/en.json'),
  es: () => import('./locales/es.json'),
}
/** Texts of the pages that say so (texts of the route): no other needs to load them. */
const parts = {
  late: { en: () => import('./locales/late.en.json'), es: () => import('./locales/late.es.json') },
  audit: { en: () => import('./locales/audit.en.json'), es: () => import('./locales/audit.es.json') },
} satisfies Record<string, Record<Locale, () => Promise<{ default: Tree }>>>
export type TextPart = keyof typeof parts
const needed = new Set<TextPart>()
const loaded = new Map<string, Tree>()
const current = ref<Locale>('en')
const texts = shallowRef<Tree>({})

/** The language in use; also the tag for Intl. */
export const locale = computed(() => current.value)

function isLocale(value: string | null): value is Locale {
  return value === 'en' || value === 'es'
}

/** Loads and shows a language; remember keeps it for the next visit. */
export async function setLocale(next: Locale, remember = true): Promise<void> {
  const tree = loaded.get(next) ?? (await loaders[next]()).default
  loaded.set(next, tree)
  let whole = tree
  for (const part of needed) whole = join(whole, await partOf(part, next))
  texts.value = whole
  current.value = next
  document.documentElement.lang = next
  if (!remember) return
  try {
    localStorage.setItem(storageKey, next)
  } catch {
    // Storage may be blocked; the choice then lasts until the page is closed.
  }
}

/** Loads texts that are not there from the beginning; they stay, in whatever language is chosen afterwards. */
export async function needTexts(list: readonly TextPart[]): Promise<void> {
  for (const part of list) {
    if (needed.has(part)) continue
    const tree = await partOf(part, current.value)
    needed.add(part)
    texts.value = join(texts.value, tree)
  }
}

async function partOf(part: TextPart, of: Locale): Promise<Tree> {
  const key = `${part}.${of}`
  const tree = loaded.get(key) ?? (await parts[part][of]()).default
  loaded.set(key, tree)
  return tree
}

/** Both trees as one; a section may be in both. */
function join(a: Tree, b: Tree): Tree {
  const both: Record<string, string | Tree> = { ...a }
  for (const [key, value] of Object.entries(b)) {
    const there = both[key]
    both[key] = typeof there === 'object' && typeof value === 'object' ? { ...there, ...value } : value
  }
  return both
}

/** The language to begin with; theme-init.js has already worked it out. */
export function initialLocale(): Locale {
  const lang = document.documentElement.lang
  return isLocale(lang) ? lang : 'en'
}

function find(key: string): string | undefined {
  let node: string | Tree | undefined = texts.value
  for (const part of key.split('.')) node = typeof node === 'object' ? node[part] : undefined
  return typeof node === 'string' ? node : undefined
}

/** The text of a key in the language in use, with values, and in the form for a count; a key without a text is its own. */
export function translate(key: string, values?: Values | number, count?: number): string {
  const text = find(key)
  if (text === undefined) return key
  return typeof values === 'number' ? say(text, {}, values) : say(text, values, count)
}

/** What components say: `vue-i18n` is an alias for this file, so that they read as everywhere. */
export function useI18n(): { t: typeof translate; te: (key: string) => boolean } {
  return { t: translate, te: (key) => find(key) !== undefined }
}
