import { useMutation, useQuery, useQueryCache } from '@pinia/colada'
import { applyRun, keys } from '@/shared/api/cache'
import { body, client, newIdempotencyKey } from '@/shared/api/client'
import type { LogPage, Rerun, Resolution, Run, RunPage, RunStatus, RunTrigger } from '@/shared/api/types'

export interface RunQuery {
  workflow_id?: string
  status?: RunStatus[]
  trigger?: RunTrigger
  drafts?: 'show' | 'only'
  from?: string
  to?: string
  min_duration?: string
  max_duration?: string
}

const pageSize = 50

export function fetchRuns(
  query: RunQuery,
  cursor: string | undefined,
  signal: AbortSignal,
): Promise<RunPage> {
  return body(client.GET('/runs', { params: { query: { ...query, cursor, limit: pageSize } }, signal }))
}

export function fetchLogs(id: string, after: number, limit: number): Promise<LogPage> {
  return body(client.GET('/runs/{id}/logs', { params: { path: { id }, query: { after, limit } } }))
}

export function useRun(id: () => string) {
  return useQuery<Run>({
    key: () => keys.run(id()),
    query: ({ signal }) => body(client.GET('/runs/{id}', { params: { path: { id: id() } }, signal })),
    staleTime: 0,
  })
}

/** Starts a run now. The key makes a repeated call (a lost answer) harmless. */
export function useStartRun() {
  const cache = useQueryCache()
  return useMutation({
    mutation: ({ workflowID, inputs }: { workflowID: string; inputs?: Record<string, unknown> }) =>
      body(
        client.POST('/workflows/{id}/runs', {
          params: { path: { id: workflowID }, header: { 'Idempotency-Key': newIdempotencyKey() } },
          body: { inputs },
        }),
      ),
    onSuccess: (run) => startedRun(cache, run),
  })
}

export function rerunRun(id: string, how: Rerun): Promise<Run> {
  return body(
    client.POST('/runs/{id}/rerun', {
      params: { path: { id }, header: { 'Idempotency-Key': newIdempotencyKey() } },
      body: how,
    }),
  )
}

export function useRerun() {
  const cache = useQueryCache()
  return useMutation({
    mutation: ({ id, ...how }: Rerun & { id: string }) => rerunRun(id, how),
    onSuccess: (run) => startedRun(cache, run),
  })
}

function startedRun(cache: ReturnType<typeof useQueryCache>, run: Run) {
  applyRun(cache, run)
  renewLists(cache)
}

/** Asks for the lists anew. Whoever acted does not wait for that: a list that fails says so itself. */
function renewLists(cache: ReturnType<typeof useQueryCache>) {
  void Promise.resolve(cache.invalidateQueries({ key: keys.runLists })).catch(() => undefined)
}

export function cancelRun(id: string): Promise<Run> {
  return body(client.POST('/runs/{id}/cancel', { params: { path: { id } } }))
}

/** After many runs were changed at once: each as it is now, and the lists anew, once. */
export function useChangedRuns() {
  const cache = useQueryCache()
  return (runs: readonly Run[]) => {
    for (const run of runs) applyRun(cache, run)
    renewLists(cache)
  }
}

export function useCancelRun() {
  const cache = useQueryCache()
  return useMutation({
    mutation: (id: string) => cancelRun(id),
    onSuccess: (run) => applyRun(cache, run),
  })
}

/** Says what became of a held step. */
export function useResolve() {
  const cache = useQueryCache()
  return useMutation({
    mutation: ({ id, ...resolution }: Resolution & { id: string }) =>
      body(client.POST('/runs/{id}/resolve', { params: { path: { id } }, body: resolution })),
    onSuccess: (run) => applyRun(cache, run),
  })
}

/** The last run of the workflow that succeeded before this one, or else after it; null when none ever did. */
export function useLastSuccess(run: () => Run) {
  return useQuery<Run | null>({
    key: () => ['runs', 'last-success', run().id],
    query: async ({ signal }) => {
      const { id, workflow_id, created_at } = run()
      const find = async (to?: string) => {
        const query = { workflow_id, status: ['succeeded' as const], to, limit: 2 }
        const page = await body(client.GET('/runs', { params: { query }, signal }))
        return page.items.find((item) => item.id !== id)
      }
      const found = (await find(created_at)) ?? (await find())
      if (!found) return null
      return body(client.GET('/runs/{id}', { params: { path: { id: found.id } }, signal }))
    },
    staleTime: 60_000,
  })
}
