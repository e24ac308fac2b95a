// Languages: English and Spanish, each a chunk of its own. The choice is kept in the browser; without one the browser's
// language decides.
import { createI18n } from 'vue-i18n'
import { computed, ref } from 'vue'

export type Locale = 'en' | 'es'
export const locales: readonly Locale[] = ['en', 'es']

const storageKey = 'orq.locale'

export const i18n = createI18n({
  legacy: false,
  locale: 'en',
  missingWarn: import.meta.env.DEV,
  fallbackWarn: false,
  messages: {},
})

const loaders: Record<Locale, () => Promise<{ default: object }>> = {
  en: () => import('./locales/en.json'),
  es: () => import('./locales/es.json'),
}
const loaded = new Set<Locale>()
const current = ref<Locale>('en')

/** The language in use; also the tag for Intl. */
export const locale = computed(() => current.value)

function isLocale(value: string | null): value is Locale {
  return value === 'en' || value === 'es'
}

/** Loads and shows a language; remember keeps it for the next visit. */
export async function setLocale(next: Locale, remember = true): Promise<void> {
  if (!loaded.has(next)) {
    const messages = await loaders[next]()
    i18n.global.setLocaleMessage(next, messages.default)
    loaded.add(next)
  }
  ;(i18n.global.locale as unknown as { value: string }).value = next
  current.value = next
  document.documentElement.lang = next
  if (!remember) return
  try {
    localStorage.setItem(storageKey, next)
  } catch {
    // Storage may be blocked; the choice then lasts until the page is closed.
  }
}

/** The language to begin with; theme-init.js has already worked it out. */
export function initialLocale(): Locale {
  const lang = document.documentElement.lang
  return isLocale(lang) ? lang : 'en'
}
