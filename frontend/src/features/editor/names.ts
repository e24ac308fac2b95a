// The names that the templates of one step of the draft may use.
import { useQuery } from '@pinia/colada'
import { computed } from 'vue'
import { body, client } from '@/shared/api/client'
import type { Action } from '@/shared/api/types'
import { useEditorContext } from './context'
import { ancestors } from './graph'
import type { StepDraft } from './model'
import type { Schema } from '@/shared/forms/schema'
import { namesOf, type Suggestion } from '@/shared/forms/suggest'

const always: readonly Suggestion[] = [
  { text: 'run.id' },
  { text: 'run.created_at' },
  { text: 'trigger.fire_at' },
  { text: 'workflow.name' },
  { text: 'now()' },
]

export function useStepSuggestions(
  steps: () => readonly StepDraft[],
  key: () => string,
  find: (type: string) => Action | undefined,
): () => readonly Suggestion[] {
  const context = useEditorContext()
  const project = () => context().projectID
  const named = (path: '/secrets' | '/variables') =>
    useQuery({
      key: () => ['names', path, project() ?? ''],
      query: ({ signal }) =>
        body(client.GET(path, { params: { query: { project_id: project(), limit: 200 } }, signal })),
      staleTime: 30_000,
    })
  const secrets = named('/secrets')
  const variables = named('/variables')
  const list = computed<readonly Suggestion[]>(() => {
    const all = steps()
    const before = ancestors(all, key())
    const mine = all.find((step) => step.key === key())
    const each = mine && 'for_each' in mine.other ? [{ text: 'each.item' }, { text: 'each.index' }] : []
    return [
      ...each,
      ...all
        .filter((step) => before.has(step.key))
        .flatMap((step) => namesOf(`steps.${step.id}`, (find(step.action)?.output ?? {}) as Schema)),
      { text: 'inputs.' },
      ...(secrets.data.value?.items ?? []).map(({ name }) => ({ text: `secrets.${name}` })),
      ...(variables.data.value?.items ?? []).map(({ name }) => ({ text: `vars.${name}` })),
      ...all
        .filter((step) => step.action === 'approval')
        .map(({ id }) => ({ text: /^\w+$/.test(id) ? `approvals.${id}` : `approvals["${id}"]` })),
      ...always,
    ]
  })
  return () => list.value
}
