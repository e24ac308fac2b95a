import { useMutation, useQuery, useQueryCache } from '@pinia/colada'
import { body, client } from '@/shared/api/client'
import type { Away, ProviderID } from '@/shared/api/types'

const key = ['auth', 'identities'] as const

/** How the caller logs in. */
export function useWaysIn() {
  return useQuery({
    key: () => key,
    query: ({ signal }) => body(client.GET('/auth/identities', { signal })),
  })
}

/** Begins to link an account at another service; the answer is where to go for that. */
export function useLinkIdentity() {
  return useMutation({
    mutation: (input: { provider: ProviderID; password?: string }) =>
      body<Away>(client.POST('/auth/identities', { body: input })),
  })
}

export function useUnlinkIdentity() {
  const cache = useQueryCache()
  return useMutation({
    async mutation({ id, password }: { id: string; password?: string }) {
      await body(
        client.POST('/auth/identities/{id}/unlink', { params: { path: { id } }, body: { password } }),
      )
    },
    onSuccess: () => cache.invalidateQueries({ key }),
  })
}
