// Projects, their members and invitations.
import { useMutation, useQuery, useQueryCache } from '@pinia/colada'
import { body, client } from '@/shared/api/client'
import type {
  Egress,
  Invitation,
  Member,
  NewInvitation,
  Project,
  ProjectQuota,
  ProjectRole,
} from '@/shared/api/types'

export const roles: readonly ProjectRole[] = ['owner', 'admin', 'editor', 'operator', 'viewer']

/** The roles that somebody with a role may give: what concerns owners is for owners. */
export function rolesToGive(own: ProjectRole): readonly ProjectRole[] {
  return own === 'owner' ? roles : roles.filter((role) => role !== 'owner')
}

const path = (id: string) => ({ params: { path: { id } } })

export function useProject(id: () => string) {
  return useQuery({
    key: () => ['projects', id()],
    query: ({ signal }) => body<Project>(client.GET('/projects/{id}', { ...path(id()), signal })),
  })
}

export function useMembers(id: () => string) {
  return useQuery({
    key: () => ['projects', id(), 'members'],
    query: async ({ signal }) =>
      (await body<{ items: Member[] }>(client.GET('/projects/{id}/members', { ...path(id()), signal })))
        .items,
  })
}

export function useInvitations(id: () => string) {
  return useQuery({
    key: () => ['projects', id(), 'invitations'],
    query: async ({ signal }) =>
      (
        await body<{ items: Invitation[] }>(
          client.GET('/projects/{id}/invitations', { ...path(id()), signal }),
        )
      ).items,
  })
}

/** Something that changes a project; what is shown of it is asked for again. */
function useChange<In, Out>(mutation: (input: In) => Promise<Out>) {
  const cache = useQueryCache()
  return useMutation({ mutation, onSettled: () => cache.invalidateQueries({ key: ['projects'] }) })
}

export const useCreateProject = () =>
  useChange((name: string) => body<Project>(client.POST('/projects', { body: { name } })))

export const useRenameProject = () =>
  useChange(({ id, name }: { id: string; name: string }) =>
    body<Project>(client.PUT('/projects/{id}', { ...path(id), body: { name } })),
  )

// What is left is not asked for again: it is not there any more.
export const useDeleteProject = () =>
  useMutation({
    async mutation({ id, endRuns }: { id: string; endRuns: boolean }) {
      const params = { path: { id }, query: endRuns ? { end_runs: true } : {} }
      await body(client.DELETE('/projects/{id}', { params }))
    },
  })

export const useLeaveProject = () =>
  useMutation({
    async mutation(id: string) {
      await body(client.POST('/projects/{id}/leave', path(id)))
    },
  })

export const useChangeMember = () =>
  useChange(({ id, user, role }: { id: string; user: string; role: ProjectRole }) =>
    body<Member>(
      client.PUT('/projects/{id}/members/{user}', { params: { path: { id, user } }, body: { role } }),
    ),
  )

export const useRemoveMember = () =>
  useChange(async ({ id, user }: { id: string; user: string }) => {
    await body(client.DELETE('/projects/{id}/members/{user}', { params: { path: { id, user } } }))
  })

export const useInvite = () =>
  useChange(({ id, role, email }: { id: string; role: ProjectRole; email?: string }) =>
    body<NewInvitation>(client.POST('/projects/{id}/invitations', { ...path(id), body: { role, email } })),
  )

export const useWithdraw = () =>
  useChange(async ({ id, invitation }: { id: string; invitation: string }) => {
    const params = { path: { id, invitation } }
    await body(client.DELETE('/projects/{id}/invitations/{invitation}', { params }))
  })

export function useEgress(id: () => string) {
  return useQuery({
    key: () => ['projects', id(), 'egress'],
    query: ({ signal }) => body<Egress>(client.GET('/projects/{id}/egress', { ...path(id()), signal })),
  })
}

export const useRestrictEgress = () =>
  useChange(({ id, only }: { id: string; only: string[] }) =>
    body<Egress>(client.PUT('/projects/{id}/egress', { ...path(id), body: { only } })),
  )

export function useQuota(id: () => string) {
  return useQuery({
    key: () => ['projects', id(), 'quota'],
    query: ({ signal }) => body<ProjectQuota>(client.GET('/projects/{id}/quota', { ...path(id()), signal })),
    staleTime: 0,
  })
}
