import { useMutation, useQuery, useQueryCache } from '@pinia/colada'
import { onScopeDispose } from 'vue'
import { body, client } from '@/shared/api/client'
import type { Host, Queue, QueueList, WorkerList } from '@/shared/api/types'

const look = 3_000 // ms

/** Asks again every few seconds while the page is seen. */
function useAgain(refetch: () => void, every = look) {
  const timer = setInterval(() => document.visibilityState === 'visible' && refetch(), every)
  onScopeDispose(() => clearInterval(timer))
}

export function useQueues(every = look) {
  const query = useQuery<QueueList>({
    key: ['queues'],
    query: ({ signal }) => body(client.GET('/queues', { signal })),
  })
  useAgain(() => void query.refetch(), every)
  return query
}

export function useWorkers() {
  const query = useQuery<WorkerList>({
    key: ['workers'],
    query: ({ signal }) => body(client.GET('/workers', { signal })),
  })
  useAgain(() => void query.refetch())
  return query
}

/** Only administrators may ask. */
export function useHosts(enabled: () => boolean) {
  const query = useQuery<{ items: Host[] }>({
    key: ['hosts'],
    query: ({ signal }) => body(client.GET('/hosts', { signal })),
    enabled,
  })
  useAgain(() => enabled() && void query.refetch())
  return query
}

export function useChangeQueue() {
  const cache = useQueryCache()
  return useMutation({
    mutation: ({
      name,
      change,
    }: {
      name: Queue['name']
      change: 'pause' | 'resume' | { most: number | null }
    }) => {
      const path = { queue: name }
      if (change === 'pause') return body(client.POST('/queues/{queue}/pause', { params: { path } }))
      if (change === 'resume') return body(client.POST('/queues/{queue}/resume', { params: { path } }))
      return body(client.PUT('/queues/{queue}', { params: { path }, body: { max_concurrent: change.most } }))
    },
    onSuccess: () => cache.invalidateQueries({ key: ['queues'] }),
  })
}

export interface HostLimits {
  max_concurrent: number | null
  per_second: number | null
  burst: number
}

export function useChangeHost() {
  const cache = useQueryCache()
  return useMutation({
    mutation: async ({ host, limits }: { host: string; limits: HostLimits | 'free' }) => {
      const params = { path: { host } }
      if (limits === 'free') await body(client.DELETE('/hosts/{host}', { params }))
      else await body(client.PUT('/hosts/{host}', { params, body: limits }))
    },
    onSuccess: () => cache.invalidateQueries({ key: ['hosts'] }),
  })
}
