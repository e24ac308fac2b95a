// How entries of the audit log are shown.
import type { RouteLocationRaw } from 'vue-router'
import type { AuditEntry } from '@/shared/api/types'

/** The actions by what they are done to, in the order in which people look for them. A Go test holds them against the server's. */
export const actionsByKind = {
  workflow: ['create', 'update', 'publish', 'enable', 'disable', 'delete', 'mute', 'unmute'],
  draft: ['begin', 'discard'],
  webhook: ['rotate'],
  secret: ['create', 'update', 'delete', 'rotate'],
  variable: ['create', 'update', 'delete'],
  calendar: ['create', 'update', 'delete'],
  run: ['cancel', 'rerun', 'resolve'],
  approval: ['decide'],
  backfill: ['start', 'pause', 'resume', 'cancel'],
  delivery: ['replay'],
  alert_rule: ['create', 'update', 'delete'],
  alert_channel: ['create', 'update', 'delete', 'test'],
  alert: ['retry'],
  project: ['create', 'rename', 'delete', 'limit', 'quota', 'restrict', 'allow'],
  member: ['join', 'role', 'remove', 'leave'],
  invitation: ['create', 'withdraw'],
  account: ['register', 'create', 'disable', 'enable', 'role', 'password', 'reset_link'],
  session: ['login', 'refuse', 'logout', 'end', 'end_all', 'reuse'],
  identity: ['link', 'unlink'],
  token: ['create', 'revoke'],
  queue: ['pause', 'resume', 'limit', 'monitor'],
  host: ['limit', 'free'],
  audit: ['verify', 'export', 'cut'],
} as const

export type Kind = keyof typeof actionsByKind

/** What only the installation's log has. */
const ofInstallation: readonly Kind[] = ['account', 'session', 'identity', 'token', 'queue', 'host']

export function kindsOf(project: boolean): readonly Kind[] {
  const all = Object.keys(actionsByKind) as Kind[]
  return project ? all.filter((kind) => !ofInstallation.includes(kind)) : all
}

/** The page about what was changed, if there is one and it may still be there. */
export function pageOf({ action, object, project_id }: AuditEntry): RouteLocationRaw | undefined {
  const [kind, verb] = action.split('.')
  if (verb === 'delete') return undefined
  switch (kind) {
    case 'workflow':
    case 'webhook':
      return { name: 'workflow', params: { id: object.id } }
    case 'draft':
      return { name: 'workflow-edit', params: { id: object.id } }
    case 'run':
      return { name: 'run', params: { id: object.id } }
    case 'secret':
    case 'variable':
      return { name: 'secrets' }
    case 'calendar':
      return { name: 'calendars' }
    case 'alert_rule':
      return { name: 'alerts', query: { show: 'rules' } }
    case 'alert_channel':
      return { name: 'alerts', query: { show: 'channels' } }
    case 'project':
    case 'member':
    case 'invitation':
      return project_id ? { name: 'project', params: { id: project_id } } : undefined
    case 'queue':
    case 'host':
      return { name: 'queue' }
    default:
      return undefined
  }
}

/** One member of what changed: what it was and what it is, as texts; undefined where it was not or is not there. */
export interface Change {
  name: string
  before?: string
  after?: string
  /** It names the parts that changed, whose contents the log does not keep. */
  names?: true
}

const naming = ['changed', 'config_changed']

export function changesOf(entry: Pick<AuditEntry, 'before' | 'after'>): Change[] {
  const before = entry.before ?? {}
  const after = entry.after ?? {}
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort()
  return names.map((name) => ({
    name,
    ...(name in before ? { before: textOf(before[name]) } : {}),
    ...(name in after ? { after: textOf(after[name]) } : {}),
    ...(naming.includes(name) ? { names: true as const } : {}),
  }))
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value.join('\n')
  return JSON.stringify(value, undefined, 2)
}
