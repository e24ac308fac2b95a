// What a version changed, by name: steps and triggers that came, went or are different, and other fields.

export interface Change {
  kind: 'added' | 'removed' | 'changed'
  /** What: a step, a trigger, or a field of the workflow. */
  what: 'step' | 'trigger' | 'field'
  name: string
}

export type Definition = Record<string, unknown>

/** The same without what may be said or not and means the same; `enabled` is what counts where it is not said. */
export function plain(
  { enabled, description, triggers, ...rest }: Definition,
  otherwise: boolean,
): Definition {
  return {
    ...rest,
    ...(description ? { description } : {}),
    enabled: enabled ?? otherwise,
    triggers: listOf(triggers).map(({ enabled: on, ...trigger }) =>
      on === false ? { ...trigger, enabled: on } : trigger,
    ),
  }
}

export function changesBetween(before: Definition, after: Definition): Change[] {
  const changes: Change[] = []
  for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
    if (name === 'steps' || name === 'triggers' || same(before[name], after[name])) continue
    changes.push({
      kind: name in before ? (name in after ? 'changed' : 'removed') : 'added',
      what: 'field',
      name,
    })
  }
  changes.push(...partsBetween('trigger', listOf(before.triggers), listOf(after.triggers)))
  changes.push(...partsBetween('step', listOf(before.steps), listOf(after.steps)))
  return changes
}

function partsBetween(what: 'step' | 'trigger', before: Definition[], after: Definition[]): Change[] {
  const byID = (list: Definition[]) => new Map(list.map((item) => [String(item.id), item]))
  const old = byID(before)
  const now = byID(after)
  const name = (item: Definition) =>
    typeof item.name === 'string' && item.name ? item.name : String(item.id)
  const changes: Change[] = []
  for (const [id, item] of now) {
    const earlier = old.get(id)
    if (!earlier) changes.push({ kind: 'added', what, name: name(item) })
    else if (!same(earlier, item)) changes.push({ kind: 'changed', what, name: name(item) })
  }
  for (const [id, item] of old) if (!now.has(id)) changes.push({ kind: 'removed', what, name: name(item) })
  return changes
}

function listOf(value: unknown): Definition[] {
  return Array.isArray(value)
    ? value.filter((item): item is Definition => typeof item === 'object' && item !== null)
    : []
}

/** Alike whatever the order of fields. */
function same(a: unknown, b: unknown): boolean {
  return stable(a) === stable(b)
}

function stable(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  )
}
