// The texts of actions come with their descriptions, in English; here are their translations, by the English text.
import { locale } from '@/shared/i18n'
import { ref } from 'vue'

const spanish = ref<Readonly<Record<string, string>>>({})
let asked = false

function load(): void {
  if (asked) return
  asked = true
  void import('./es.json').then(({ default: texts }) => (spanish.value = texts))
}

/** The text in the language in use; the English one until it is loaded, and where there is none. */
export function actionText(english: string | undefined): string {
  if (!english || locale.value === 'en') return english ?? ''
  load()
  return spanish.value[english] ?? english
}
