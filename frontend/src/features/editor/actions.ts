// The actions that steps can be of, as the server describes them.
import { useQuery } from '@pinia/colada'
import { computed } from 'vue'
import { body, client } from '@/shared/api/client'
import type { Action } from '@/shared/api/types'
import type { Schema } from '@/shared/forms/schema'

export function useActions() {
  const query = useQuery({
    key: ['actions'],
    query: ({ signal }) => body(client.GET('/actions', { signal })),
    staleTime: Infinity,
  })
  const actions = computed<readonly Action[]>(() => query.data.value?.items ?? [])
  return {
    ...query,
    actions,
    /** The description of an action; undefined until it is there, or when the server does not know it. */
    find: (type: string) => actions.value.find((action) => action.type === type),
  }
}

export function configSchema(action: Action | undefined): Schema | undefined {
  return action?.config as Schema | undefined
}
