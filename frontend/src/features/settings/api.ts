import { useMutation, useQuery, useQueryCache } from '@pinia/colada'
import { body, client } from '@/shared/api/client'
import type { APITokenInput, NewAPIToken } from '@/shared/api/types'

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

const tokensKey = ['auth', 'tokens'] as const

export function useTokens() {
  return useQuery({
    key: () => tokensKey,
    query: ({ signal }) => body(client.GET('/auth/tokens', { signal })),
  })
}

export function useCreateToken() {
  const cache = useQueryCache()
  return useMutation({
    mutation: (input: APITokenInput) => body<NewAPIToken>(client.POST('/auth/tokens', { body: input })),
    onSettled: () => cache.invalidateQueries({ key: tokensKey }),
  })
}

export function useRevokeToken() {
  const cache = useQueryCache()
  return useMutation({
    async mutation(id: string) {
      await body(client.DELETE('/auth/tokens/{id}', { params: { path: { id } } }))
    },
    onSettled: () => cache.invalidateQueries({ key: tokensKey }),
  })
}

/** Ends all sessions but this one. */
export function useEndOthers() {
  const cache = useQueryCache()
  return useMutation({
    async mutation() {
      await body(client.DELETE('/auth/sessions'))
    },
    onSettled: () => cache.invalidateQueries({ key }),
  })
}

export function useChangePassword() {
  const cache = useQueryCache()
  return useMutation({
    async mutation(input: { current_password: string; password: string }) {
      await body(client.PUT('/auth/password', { body: input }))
    },
    onSuccess: () => cache.invalidateQueries({ key }),
  })
}
