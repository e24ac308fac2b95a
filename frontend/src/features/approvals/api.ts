import { useMutation, useQuery, useQueryCache } from '@pinia/colada'
import { body, client } from '@/shared/api/client'
import { usePaged } from '@/shared/api/paged'
import type { Approval, Asked, LinkVerdict, Verdict } from '@/shared/api/types'

/** What steps ask people, newest first: what is open, or all. */
export function useApprovals(all: () => boolean) {
  return usePaged<Approval>({
    key: () => ['approvals', all() ? 'all' : 'pending'],
    fetch: (cursor, signal) =>
      body(client.GET('/approvals', { params: { query: { pending: !all(), cursor, limit: 50 } }, signal })),
  })
}

export function useDecide() {
  const cache = useQueryCache()
  return useMutation({
    mutation: ({ id, ...verdict }: Verdict & { id: string }) =>
      body<Approval>(client.POST('/approvals/{id}/decide', { params: { path: { id } }, body: verdict })),
    onSettled: () => cache.invalidateQueries({ key: ['approvals'] }),
  })
}

/** The question of a signed link. */
export function useAsked(token: () => string) {
  return useQuery({
    key: () => ['asked', token()],
    query: ({ signal }) =>
      body<Asked>(client.GET('/approval-links/{token}', { params: { path: { token: token() } }, signal })),
  })
}

export function useDecideByLink() {
  const cache = useQueryCache()
  return useMutation({
    mutation: ({ token, ...verdict }: LinkVerdict & { token: string }) =>
      body<Asked>(client.POST('/approval-links/{token}', { params: { path: { token } }, body: verdict })),
    onSettled: () => cache.invalidateQueries({ key: ['asked'] }),
  })
}
