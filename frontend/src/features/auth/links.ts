// Links that let somebody in, or let them choose another password. What is secret about them stands behind the #.
import { useMutation, useQuery } from '@pinia/colada'
import { body, client } from '@/shared/api/client'
import type { InvitationSeen, Project } from '@/shared/api/types'

/** The token of a link, out of the hash of its address; empty when there is none. */
export function tokenOf(hash: string): string {
  return /^#[\w-]{20,200}$/.test(hash) ? hash.slice(1) : ''
}

export function useInvitation(token: () => string) {
  return useQuery({
    key: () => ['invitation', token()],
    query: () => body<InvitationSeen>(client.POST('/invitations/look', { body: { token: token() } })),
    enabled: () => token() !== '',
  })
}

export function useAcceptInvitation() {
  return useMutation({
    mutation: (token: string) => body<Project>(client.POST('/invitations/accept', { body: { token } })),
  })
}

export function useForgotPassword() {
  return useMutation({
    async mutation(email: string) {
      await body(client.POST('/auth/password/forgot', { body: { email } }))
    },
  })
}

export function useResetPassword() {
  return useMutation({
    async mutation(input: { token: string; password: string }) {
      await body(client.POST('/auth/password/reset', { body: input }))
    },
  })
}
