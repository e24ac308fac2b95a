import { useQuery, useQueryCache } from '@pinia/colada'
import { computed } from 'vue'
import { keys, type TaggedWorkflow } from '@/shared/api/cache'
import { body, bodyWithTag, client } from '@/shared/api/client'
import type { Preview, PreviewRequest, WorkflowInput } from '@/shared/api/types'
import { locale } from '@/shared/i18n'

/** The workflow as it is now, for a form to be filled from; never from the cache, because its ETag guards the save. */
export function fetchWorkflow(id: string): Promise<TaggedWorkflow> {
  return bodyWithTag(client.GET('/workflows/{id}', { params: { path: { id } } }))
}

export function useSaveWorkflow() {
  const cache = useQueryCache()
  /** Creates (no id) or saves a version; with an ETag only if nobody saved in between (412). */
  return async (input: WorkflowInput, id?: string, etag?: string): Promise<TaggedWorkflow> => {
    const answer = await bodyWithTag(
      id
        ? client.PUT('/workflows/{id}', {
            params: { path: { id }, header: { 'If-Match': etag || undefined } },
            body: input,
          })
        : client.POST('/workflows', { body: input }),
    )
    cache.setQueryData(keys.workflow(answer.data.id), answer)
    await cache.invalidateQueries({ key: keys.workflowLists })
    await cache.invalidateQueries({ key: keys.versions(answer.data.id) })
    return answer
  }
}

/** What the server says about a schedule: description, next fires, clock changes. */
export function usePreview(request: () => PreviewRequest | undefined) {
  const asked = computed(() => JSON.stringify(request() ?? null))
  return useQuery<Preview>({
    key: () => ['preview', locale.value, asked.value],
    query: ({ signal }) => body(client.POST('/schedules/preview', { body: request() ?? {}, signal })),
    enabled: () => request() !== undefined,
    staleTime: 10_000,
  })
}
