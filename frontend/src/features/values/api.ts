import { useMutation, useQueryCache } from '@pinia/colada'
import { body, client } from '@/shared/api/client'
import { usePaged } from '@/shared/api/paged'
import type { Secret, SecretInput, Variable, VariableInput } from '@/shared/api/types'

export function useSecrets() {
  return usePaged<Secret>({
    key: () => ['secrets', 'list'],
    fetch: (cursor, signal) =>
      body(client.GET('/secrets', { params: { query: { cursor, limit: 100 } }, signal })),
  })
}

export function useVariables() {
  return usePaged<Variable>({
    key: () => ['variables', 'list'],
    fetch: (cursor, signal) =>
      body(client.GET('/variables', { params: { query: { cursor, limit: 100 } }, signal })),
  })
}

/** Where a value is: its name in its project. Without a project, that of the caller. */
export interface ValuePlace {
  name: string
  projectID?: string
}

const params = ({ name, projectID }: ValuePlace) => ({ path: { name }, query: { project_id: projectID } })

/** Stores a secret, or another value of it. */
export function useSaveSecret() {
  const cache = useQueryCache()
  return useMutation({
    mutation: ({ input, ...place }: ValuePlace & { input: SecretInput }) =>
      body(client.PUT('/secrets/{name}', { params: params(place), body: input })),
    onSuccess: () => cache.invalidateQueries({ key: ['secrets'] }),
  })
}

/** Stores a variable, or another value of it. */
export function useSaveVariable() {
  const cache = useQueryCache()
  return useMutation({
    mutation: ({ input, ...place }: ValuePlace & { input: VariableInput }) =>
      body(client.PUT('/variables/{name}', { params: params(place), body: input })),
    onSuccess: () => cache.invalidateQueries({ key: ['variables'] }),
  })
}

/** Deletes a value that no workflow names. */
export function useDeleteValue() {
  const cache = useQueryCache()
  return useMutation({
    async mutation({ kind, ...place }: ValuePlace & { kind: ValueKind }) {
      await (kind === 'secrets'
        ? body(client.DELETE('/secrets/{name}', { params: params(place) }))
        : body(client.DELETE('/variables/{name}', { params: params(place) })))
    },
    onSuccess: (_, { kind }) => cache.invalidateQueries({ key: [kind] }),
  })
}

export type ValueKind = 'secrets' | 'variables'
