import { useMutation, useQuery, useQueryCache } from '@pinia/colada'
import { body, client } from '@/shared/api/client'

const key = ['auth', 'sessions'] as const

export function useSessions() {
  return useQuery({
    key: () => key,
    query: ({ signal }) => body(client.GET('/auth/sessions', { signal })),
  })
}

export function useEndSession() {
  const cache = useQueryCache()
  return useMutation({
    async mutation(id: string) {
      await body(client.DELETE('/auth/sessions/{id}', { params: { path: { id } } }))
    },
    onSettled: () => cache.invalidateQueries({ key }),
  })
}
