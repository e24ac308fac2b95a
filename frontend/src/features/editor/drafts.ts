// The draft of a workflow on the server.
import { useQueryCache } from '@pinia/colada'
import { applyRun, keys, type TaggedWorkflow } from '@/shared/api/cache'
import { body, bodyWithTag, client, newIdempotencyKey } from '@/shared/api/client'
import { toApiError } from '@/shared/api/problem'
import type { Run, SavedDraft } from '@/shared/api/types'
import type { Saved } from './saved'

export interface TaggedDraft {
  data: SavedDraft
  etag: string
}

/** The draft as it is now; undefined when there is none. */
export async function fetchDraft(id: string): Promise<TaggedDraft | undefined> {
  try {
    return await bodyWithTag(client.GET('/workflows/{id}/draft', { params: { path: { id } } }))
  } catch (cause) {
    const error = toApiError(cause)
    if (error.status === 404) return undefined
    throw error
  }
}

/** Begins a new workflow as a draft. */
export function beginDraft(definition: Saved): Promise<TaggedDraft> {
  return bodyWithTag(client.POST('/workflows/drafts', { body: { definition } }))
}

/** Saves over the draft with the ETag; over none, when that is empty (412 when somebody else saved in between). */
export function saveDraft(
  id: string,
  definition: Saved,
  etag: string,
  basedOn?: number,
): Promise<TaggedDraft> {
  return bodyWithTag(
    client.PUT('/workflows/{id}/draft', {
      params: { path: { id }, header: etag ? { 'If-Match': etag } : { 'If-None-Match': '*' } },
      body: { definition, based_on: basedOn },
    }),
  )
}

export function useDraftActions() {
  const cache = useQueryCache()
  async function forget(id: string) {
    await cache.invalidateQueries({ key: keys.workflow(id) })
    await cache.invalidateQueries({ key: keys.workflowLists })
  }
  return {
    /** What is shown of the workflow elsewhere is asked for again. */
    forget,
    async discard(id: string, etag: string): Promise<void> {
      const { response, error } = await client.DELETE('/workflows/{id}/draft', {
        params: { path: { id }, header: { 'If-Match': etag } },
      })
      await body(Promise.resolve({ data: undefined, error, response }))
      await forget(id)
    },
    async publish(id: string, etag: string): Promise<TaggedWorkflow> {
      const answer = await bodyWithTag(
        client.POST('/workflows/{id}/draft/publish', {
          params: { path: { id }, header: { 'If-Match': etag } },
        }),
      )
      cache.setQueryData(keys.workflow(id), answer)
      await cache.invalidateQueries({ key: keys.workflowLists })
      await cache.invalidateQueries({ key: keys.versions(id) })
      return answer
    },
    async run(id: string, etag: string, inputs: Record<string, unknown>): Promise<Run> {
      const run = await body(
        client.POST('/workflows/{id}/draft/runs', {
          params: { path: { id }, header: { 'If-Match': etag, 'Idempotency-Key': newIdempotencyKey() } },
          body: { inputs },
        }),
      )
      applyRun(cache, run)
      return run
    },
  }
}
