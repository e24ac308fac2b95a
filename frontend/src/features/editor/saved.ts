// What a draft on the server holds: a definition as far as it is written, with the texts that cannot be read yet.
import type { WorkflowInput } from '@/shared/api/types'
import { triggerTypes } from './event'
import type { Draft, TriggerDraft } from './model'
import { draftOf } from './read'
import type { Definition } from './write'

/** A definition that need not be one. */
export type Saved = Record<string, unknown>

/** What to keep of the form: `unread` is no field of a definition, so that nothing with such texts is published. */
export function savedOf({ input, unread }: Definition): Saved {
  return Object.keys(unread).length > 0 ? { ...input, unread } : { ...input }
}

/** The form's draft of what was kept; whatever it is, it can be shown. */
export function draftOfSaved(saved: Saved): Draft {
  const { unread, ...definition } = saved
  const draft = draftOf(shaped(definition))
  for (const [pointer, text] of Object.entries(objectOf(unread)))
    if (typeof text === 'string') putBack(draft, pointer, text)
  return draft
}

/** The same with every part of the kind that the form takes it for. */
function shaped(raw: Saved): WorkflowInput {
  return {
    ...raw,
    name: textOf(raw.name),
    description: raw.description === undefined ? undefined : textOf(raw.description),
    triggers: listOf(raw.triggers).map((trigger) => ({
      ...trigger,
      id: textOf(trigger.id),
      type: triggerTypes.find((type) => type === trigger.type) ?? 'schedule',
    })),
    steps: listOf(raw.steps).map((step) => ({
      ...step,
      id: textOf(step.id),
      action: textOf(step.action) || 'log_message',
      config: objectOf(step.config),
      depends_on: Array.isArray(step.depends_on) ? step.depends_on.map(textOf) : undefined,
    })),
  } as WorkflowInput
}

const numbers: Readonly<Record<string, keyof TriggerDraft>> = {
  pause_after_failures: 'pauseAfter',
  catch_up_limit: 'limit',
  max_runs: 'maxRuns',
  inputs: 'inputs',
}

function putBack(draft: Draft, pointer: string, text: string): void {
  if (pointer === '/max_concurrent') draft.maxConcurrent = text
  const [, group, index, rest] = /^\/(triggers|steps)\/(\d+)\/(.+)$/.exec(pointer) ?? []
  if (!rest) return
  if (group === 'triggers') {
    const trigger = draft.triggers[Number(index)]
    const field = numbers[rest]
    if (trigger && field) Object.assign(trigger, { [field]: text })
    return
  }
  const step = draft.steps[Number(index)]
  if (!step) return
  if (step.action === 'http_endpoint' && rest === 'config/body/json') {
    step.http.bodyKind = 'json'
    step.http.json = text
  } else if (rest.startsWith('config/')) step.broken[rest.slice('config'.length)] = text
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

function objectOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : {}
}

function listOf(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? value.map(objectOf) : []
}
