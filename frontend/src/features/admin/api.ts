// The accounts of the installation, for administrators.
import { useMutation, useQuery, useQueryCache } from '@pinia/colada'
import { body, client } from '@/shared/api/client'
import { usePaged } from '@/shared/api/paged'
import type { InstallationProject, Invitation, NewInvitation, Person, QuotaInput } from '@/shared/api/types'

export function usePeople(search: () => string) {
  return usePaged<Person>({
    key: () => ['users', 'list', search()],
    fetch: (cursor, signal) =>
      body(
        client.GET('/users', {
          params: { query: { q: search() || undefined, cursor, limit: 50 } },
          signal,
        }),
      ),
  })
}

export type Change = 'disable' | 'enable' | 'appoint' | 'dismiss' | 'logout'

export function useChangePerson() {
  const cache = useQueryCache()
  return useMutation({
    async mutation({ id, change }: { id: string; change: Change }) {
      const params = { path: { user: id } }
      switch (change) {
        case 'disable':
          return body(client.POST('/users/{user}/disable', { params }))
        case 'enable':
          return body(client.POST('/users/{user}/enable', { params }))
        case 'appoint':
          return body(client.PUT('/users/{user}/role', { params, body: { role: 'administrator' } }))
        case 'dismiss':
          return body(client.PUT('/users/{user}/role', { params, body: { role: 'member' } }))
        case 'logout':
          return body(client.DELETE('/users/{user}/sessions', { params }))
      }
    },
    onSettled: () => cache.invalidateQueries({ key: ['users'] }),
  })
}

export function useMakeResetLink() {
  return useMutation({
    mutation: (id: string) =>
      body(client.POST('/users/{user}/password-reset', { params: { path: { user: id } } })),
  })
}

export function useAccountInvitations() {
  return useQuery({
    key: () => ['users', 'invitations'],
    query: async ({ signal }) =>
      (await body<{ items: Invitation[] }>(client.GET('/invitations', { signal }))).items,
  })
}

export function useInviteAccount() {
  const cache = useQueryCache()
  return useMutation({
    mutation: (email?: string) => body<NewInvitation>(client.POST('/invitations', { body: { email } })),
    onSettled: () => cache.invalidateQueries({ key: ['users', 'invitations'] }),
  })
}

export function useWithdrawAccountInvitation() {
  const cache = useQueryCache()
  return useMutation({
    async mutation(invitation: string) {
      await body(client.DELETE('/invitations/{invitation}', { params: { path: { invitation } } }))
    },
    onSettled: () => cache.invalidateQueries({ key: ['users', 'invitations'] }),
  })
}

export interface Readiness {
  ready: boolean
  checks: readonly { name: string; ok: boolean }[]
}

/** What /readyz says, which is for load balancers and stands outside of the contract. */
export function useReadiness() {
  return useQuery({
    key: () => ['readyz'],
    async query({ signal }): Promise<Readiness> {
      const answer = await fetch('/readyz', { signal })
      const said = (await answer.json()) as Partial<Readiness>
      return { ready: answer.ok, checks: said.checks ?? [] }
    },
    staleTime: 0,
  })
}

export function useAllProjects(search: () => string) {
  return usePaged<InstallationProject>({
    key: () => ['installation', 'projects', search()],
    fetch: (cursor, signal) =>
      body(
        client.GET('/installation/projects', {
          params: { query: { q: search() || undefined, cursor, limit: 50 } },
          signal,
        }),
      ),
  })
}

export function useLimitProject() {
  const cache = useQueryCache()
  return useMutation({
    async mutation({ id, allow, quota }: { id: string; allow: string[]; quota: QuotaInput }) {
      const params = { path: { id } }
      await body(client.PUT('/projects/{id}/egress/allow', { params, body: { allow } }))
      await body(client.PUT('/projects/{id}/quota', { params, body: quota }))
    },
    onSettled: async () => {
      await cache.invalidateQueries({ key: ['installation'] })
      await cache.invalidateQueries({ key: ['projects'] })
    },
  })
}
