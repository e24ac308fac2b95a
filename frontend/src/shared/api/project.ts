// The project that somebody works in, and what they may do there. Without a chosen project lists show what is in all of
// theirs. The server decides in any case; what is known here only spares people buttons that would be refused.
import { ref, shallowRef } from 'vue'
import type { Membership } from './types'

/** x-permission of the contract, for a project's things. */
export type Permission =
  | 'project.read'
  | 'project.write'
  | 'project.delete'
  | 'member.write'
  | 'audit.read'
  | 'workflow.read'
  | 'workflow.write'
  | 'run.read'
  | 'run.start'
  | 'run.cancel'
  | 'secret.read'
  | 'secret.write'
  | 'variable.read'
  | 'variable.write'
  | 'alert.read'
  | 'alert.write'

const storageKey = 'orq.project'

export const memberships = shallowRef<readonly Membership[]>([])
/** The id of the chosen project; undefined for all of them. */
export const currentProject = ref<string>()

/** Takes over what the server says about the caller; a project that they are no member of any more is left. */
export function setMemberships(list: readonly Membership[]): void {
  memberships.value = list
  const wanted = currentProject.value ?? read()
  currentProject.value = list.some((item) => item.id === wanted) ? wanted : undefined
}

/** Goes into a project, or into none in particular, also after the next visit. */
export function chooseProject(id: string | undefined): void {
  currentProject.value = id
  try {
    if (id) localStorage.setItem(storageKey, id)
    else localStorage.removeItem(storageKey)
  } catch {
    // Storage may be blocked; the choice then lasts until the page is closed.
  }
}

/** Whether the caller may do something in a project; without one in the chosen project, or in any where none is chosen. */
export function may(permission: Permission, project = currentProject.value): boolean {
  return memberships.value.some(
    (item) => (project === undefined || item.id === project) && item.permissions.includes(permission),
  )
}

function read(): string | undefined {
  try {
    return localStorage.getItem(storageKey) ?? undefined
  } catch {
    return undefined
  }
}

const lists =
  /^\/(workflows|runs|calendars|secrets|variables|approvals|alerts|alert-rules|alert-channels|stats|overview)$/
const named = /^\/(secret|variable)s\/[^/]+$/
const made =
  /^\/(workflows|workflows\/drafts|workflows\/validate|calendars|step-tests|schedules\/preview|alert-rules|alert-channels)$/

/** Where a request takes its project: from the address, from its body, or not at all. */
export function placeOf(method: string, path: string): 'query' | 'body' | undefined {
  if (method === 'GET' && lists.test(path)) return 'query'
  if (method !== 'GET' && named.test(path)) return 'query'
  return method === 'POST' && made.test(path) ? 'body' : undefined
}

/** The project that a request without one is about; undefined leaves it to the server: all of them, or the caller's own. */
export function impliedProject(method: string, path: string): string | undefined {
  if (currentProject.value || method === 'GET') return currentProject.value
  if (memberships.value.some((item) => item.role === 'owner')) return undefined
  const kind = named.exec(path)?.[1]
  const needed = kind
    ? (`${kind}.write` as Permission)
    : path.startsWith('/alert')
      ? 'alert.write'
      : 'workflow.write'
  return memberships.value.find((item) => item.permissions.includes(needed))?.id
}

/** The request, in the chosen project unless it names one. */
export async function inProject(request: Request): Promise<Request> {
  const url = new URL(request.url)
  const path = url.pathname.replace(/^\/api\/v1/, '')
  const place = placeOf(request.method, path)
  const project = place && impliedProject(request.method, path)
  if (!project) return request
  if (place === 'query') {
    if (url.searchParams.has('project_id')) return request
    url.searchParams.set('project_id', project)
    return new Request(url, request)
  }
  const input = (await request.clone().json()) as Record<string, unknown>
  if (input.project_id) return request
  const { method, headers, signal } = request
  return new Request(url, {
    method,
    headers,
    signal,
    body: JSON.stringify({ ...input, project_id: project }),
  })
}
