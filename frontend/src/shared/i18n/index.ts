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
/** Texts of pages that few visits open: of accounts, projects and passwords, and of beginnings. */
const lateLoaders: Record<Locale, () => Promise<{ default: Tree }>> = {
  en: () => import('./locales/late.en.json'),
  es: () => import('./locales/late.es.json'),
}
let late = false
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
  texts.value = late ? join(tree, await lateTexts(next)) : tree
  current.value = next
  document.documentElement.lang = next
  if (!remember) return
  try {
    localStorage.setItem(storageKey, next)
  } catch {
    // Storage may be blocked; the choice then lasts until the page is closed.
  }
}

/** Loads the texts that are not there from the beginning; they stay, in whatever language is chosen afterwards. */
export async function needLateTexts(): Promise<void> {
  if (late) return
  const tree = await lateTexts(current.value)
  late = true
  texts.value = join(texts.value, tree)
}

async function lateTexts(of: Locale): Promise<Tree> {
  const key = `late.${of}`
  const tree = loaded.get(key) ?? (await lateLoaders[of]()).default
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
