// What the dialogs of secrets and variables have in common: a name, a description, problems at their fields, and saving.
import { ref } from 'vue'
import { problemsAt, toApiError } from '@/shared/api/problem'
import type { FieldProblem } from '@/shared/api/types'
import { useErrorText, useFieldText } from '@/shared/ui/error-text'
import { namePattern } from './value-text'

export function useValueForm() {
  const errorText = useErrorText()
  const fieldText = useFieldText()
  const name = ref('')
  const description = ref('')
  const problems = ref<readonly FieldProblem[]>([])
  const failure = ref('')

  function reset(from?: { name: string; description: string }) {
    name.value = from?.name ?? ''
    description.value = from?.description ?? ''
    problems.value = []
    failure.value = ''
  }
  /** Saves, unless the form itself finds problems; true when it is saved. */
  async function submit(found: FieldProblem[], save: () => Promise<unknown>): Promise<boolean> {
    problems.value = namePattern.test(name.value.trim())
      ? found
      : [{ pointer: '/name', code: 'value_name', message: 'value_name' }, ...found]
    failure.value = ''
    if (problems.value.length > 0) return false
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
  const at = (pointer: string) => problemsAt(problems.value, pointer).map(fieldText)
  return { name, description, failure, reset, submit, at }
}
