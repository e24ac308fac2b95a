import { useMutation, useQuery, useQueryCache, type QueryCache } from '@pinia/colada'

import { keys, type Pages, type TaggedWorkflow } from '@/shared/api/cache'
import { body, bodyWithTag, client } from '@/shared/api/client'
import { usePaged } from '@/shared/api/paged'
import type {
  Occurrence,
  OccurrenceOutcome,
  Version,
  Workflow,
  WorkflowInput,
  WorkflowPage,
} from '@/shared/api/types'
import { locale } from '@/shared/i18n'

export interface WorkflowFilter {
  q?: string
  enabled?: boolean
  project_id?: string
}

const pageSize = 50

// The server describes schedules in the reader's language, so the language is part of the key.
export function useWorkflowList(filter: () => WorkflowFilter) {
  return usePaged<Workflow>({
    key: () => keys.workflowList({ ...filter(), locale: locale.value }),
    fetch: (cursor, signal) =>
      body(
        client.GET('/workflows', {
          params: { query: { ...filter(), unpublished: true, cursor, limit: pageSize } },
          signal,
        }),
      ),
  })
}

export function useWorkflow(id: () => string) {
  return useQuery<TaggedWorkflow>({
    key: () => keys.workflow(id()),
    query: ({ signal }) =>
      bodyWithTag(client.GET('/workflows/{id}', { params: { path: { id: id() } }, signal })),
  })
}

export function useVersions(id: () => string) {
  return usePaged<Version>({
    key: () => keys.versions(id()),
    fetch: (cursor, signal) =>
      body(
        client.GET('/workflows/{id}/versions', {
          params: { path: { id: id() }, query: { cursor, limit: 20 } },
          signal,
        }),
      ),
  })
}

/** Makes the newest version out of an old one; refused when somebody saves at the same time. */
export function useRestoreVersion() {
  const cache = useQueryCache()
  return useMutation({
    async mutation({ id, version }: { id: string; version: Version }): Promise<TaggedWorkflow> {
      const now = await bodyWithTag(client.GET('/workflows/{id}', { params: { path: { id } } }))
      return bodyWithTag(
        client.PUT('/workflows/{id}', {
          params: { path: { id }, header: { 'If-Match': now.etag || undefined } },
          body: version.definition as unknown as WorkflowInput,
        }),
      )
    },
    onSuccess(answer) {
      applyWorkflow(cache, answer)
      return cache.invalidateQueries({ key: keys.versions(answer.data.id) })
    },
  })
}

export function useOccurrences(
  id: () => string,
  filter: () => { trigger?: string; outcome?: OccurrenceOutcome; from?: string; to?: string },
) {
  return usePaged<Occurrence>({
    key: () => keys.occurrences(id(), filter()),
    fetch: (cursor, signal) =>
      body(
        client.GET('/workflows/{id}/occurrences', {
          params: { path: { id: id() }, query: { ...filter(), cursor, limit: pageSize } },
          signal,
        }),
      ),
  })
}

function replaceInLists(cache: QueryCache, change: (workflow: Workflow) => Workflow) {
  for (const entry of cache.getEntries({ key: keys.workflowLists })) {
    const pages = entry.state.value.data as Pages<WorkflowPage> | undefined
    if (!pages) continue
    cache.setQueryData(entry.key, {
      ...pages,
      pages: pages.pages.map((page) => ({ ...page, items: page.items.map(change) })),
    })
  }
}

/** Shows a workflow that the server has just answered with, wherever it is shown. */
export function applyWorkflow(cache: QueryCache, answer: TaggedWorkflow): void {
  const { data } = answer
  cache.setQueryData(keys.workflow(data.id), answer)
  replaceInLists(cache, (shown) => (shown.id === data.id ? data : shown))
}

/** Enables or disables; the switch moves at once and back again if the server refuses. */
export function useToggleWorkflow() {
  const cache = useQueryCache()
  return useMutation({
    mutation: ({ id, enabled }: { id: string; enabled: boolean }) => {
      const options = { params: { path: { id } } }
      return bodyWithTag(
        enabled
          ? client.POST('/workflows/{id}/enable', options)
          : client.POST('/workflows/{id}/disable', options),
      )
    },
    onMutate({ id, enabled }) {
      replaceInLists(cache, (shown) => (shown.id === id ? { ...shown, enabled } : shown))
      const one = cache.getQueryData<TaggedWorkflow>(keys.workflow(id))
      if (one) cache.setQueryData(keys.workflow(id), { ...one, data: { ...one.data, enabled } })
    },
    onSuccess(answer) {
      applyWorkflow(cache, answer)
      // Lists with another filter may gain or lose it; the one on the screen keeps its rows where they are.
      return cache.invalidateQueries({ key: keys.workflowLists, active: false })
    },
    onError: () => cache.invalidateQueries({ key: keys.workflows }),
  })
}

export function useDeleteWorkflow() {
  const cache = useQueryCache()
  return useMutation({
    async mutation(id: string) {
      const { response, error } = await client.DELETE('/workflows/{id}', { params: { path: { id } } })
      await body(Promise.resolve({ data: undefined, error, response }))
    },
    async onSuccess(_, id) {
      for (const entry of cache.getEntries({ key: keys.workflow(id) })) cache.remove(entry)
      await cache.invalidateQueries({ key: keys.workflowLists })
    },
  })
}
