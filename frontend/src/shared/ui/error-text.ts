// Sentences for errors. The server explains in English and knows the particulars, so its words are shown in English;
// in Spanish the code chooses a sentence of ours, and what has none keeps the server's words.
import { useI18n } from 'vue-i18n'
import { toApiError } from '@/shared/api/problem'
import type { FieldProblem } from '@/shared/api/types'
import { locale } from '@/shared/i18n'

/** Codes that this side gives itself: nobody else has words for them. */
const ownCodes: readonly string[] = ['unreachable', 'unknown', 'unauthorized']

export function useErrorText(): (cause: unknown) => string {
  const { t, te } = useI18n()
  const fieldText = useFieldText()
  return (cause) => {
    const error = toApiError(cause)
    // Where there is no field to show it at, what is wrong says more than that something is.
    if (error.code === 'validation_failed' && error.fields.length > 0)
      return [...new Set(error.fields.map(fieldText))].join(' ')
    const key = `problem.${error.code}`
    const ours = locale.value !== 'en' || ownCodes.includes(error.code)
    return ours && te(key) ? t(key) : error.detail
  }
}

/** The same for one field of a form; a message that only repeats the code comes from the form itself. */
export function useFieldText(): (problem: FieldProblem) => string {
  const { t, te } = useI18n()
  return (problem) => {
    const key = `fieldProblem.${problem.code}`
    const ours = locale.value !== 'en' || problem.message === problem.code
    return ours && te(key) ? t(key) : problem.message
  }
}
