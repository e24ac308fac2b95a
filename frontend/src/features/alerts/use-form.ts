// What the dialogs of channels and rules have in common: problems at their fields, and saving.
import { ref } from 'vue'
import { toApiError } from '@/shared/api/problem'
import type { FieldProblem } from '@/shared/api/types'
import { provideProblems } from '@/shared/forms/problems'
import { useErrorText } from '@/shared/ui/error-text'

export function useForm() {
  const errorText = useErrorText()
  const problems = ref<readonly FieldProblem[]>([])
  const failure = ref('')
  provideProblems(problems)

  function reset() {
    problems.value = []
    failure.value = ''
  }
  /** Saves, unless the form itself finds problems; true when it is saved. */
  async function submit(found: FieldProblem[], save: () => Promise<unknown>): Promise<boolean> {
    problems.value = found
    failure.value = ''
    if (found.length > 0) return false
    try {
      await save()
      return true
    } catch (cause) {
      const error = toApiError(cause)
      problems.value = error.fields
      if (error.fields.length === 0) failure.value = errorText(error)
      return false
    }
  }
  return { problems, failure, reset, submit }
}
