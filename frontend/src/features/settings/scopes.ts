// What people choose an API token for, in place of single permissions.
import type { Scope } from '@/shared/api/types'

const reading: readonly Scope[] = ['project.read', 'workflow.read', 'run.read', 'variable.read', 'alert.read']
const running: readonly Scope[] = [...reading, 'run.start', 'run.cancel']
const editing: readonly Scope[] = [
  ...running,
  'workflow.write',
  'variable.write',
  'secret.read',
  'alert.write',
]
const everything: readonly Scope[] = [
  ...editing,
  'secret.write',
  'project.write',
  'member.write',
  'audit.read',
  'project.delete',
]

export const presets = { read: reading, run: running, edit: editing, all: everything } as const
export type Preset = keyof typeof presets

/** The preset that stands for exactly these scopes, in any order. */
export function presetOf(scopes: readonly Scope[]): Preset | undefined {
  const names = Object.keys(presets) as Preset[]
  return names.find(
    (name) =>
      presets[name].length === scopes.length && presets[name].every((scope) => scopes.includes(scope)),
  )
}
