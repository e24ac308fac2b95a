import { computed, inject, provide, type ComputedRef, type InjectionKey, type Ref } from 'vue'
import { problemsAt } from '@/shared/api/problem'
import type { FieldProblem } from '@/shared/api/types'
import { useFieldText } from '@/shared/ui/error-text'

const problemsKey: InjectionKey<Readonly<Ref<readonly FieldProblem[]>>> = Symbol('problems')

/** Makes the problems of a form known to the fields inside it. */
export function provideProblems(problems: Readonly<Ref<readonly FieldProblem[]>>): void {
  provide(problemsKey, problems)
}

/** The messages for the field at pointer. */
export function useProblems(pointer: () => string): ComputedRef<string[]> {
  const problems = inject(problemsKey, undefined)
  const text = useFieldText()
  return computed(() => [...new Set(problemsAt(problems?.value ?? [], pointer()).map(text))])
}
