// From a definition of the contract to the editor's draft.
import type { Step, TriggerInput, WorkflowInput } from '@/shared/api/types'
import { newKey, newPair, type Pair } from '@/shared/forms/pairs'
import { toLocalInput } from '@/shared/lib/zone'
import { eventDraftOf, usualOverlap } from './event'
import {
  newStep,
  newTrigger,
  type BodyKind,
  type Draft,
  type HttpDraft,
  type StepDraft,
  type TriggerDraft,
} from './model'
import { keepOrigin } from './origin'
import { definitionOf } from './write'

/** The draft of a definition. definitionOf(draftOf(d)) is d, whatever the form knows of it. */
export function draftOf(workflow: WorkflowInput): Draft {
  const keys = new Map(workflow.steps.map((step) => [step.id, newKey()]))
  const key = newKey()
  keepOrigin(key, workflow)
  const draft: Draft = {
    key,
    name: workflow.name,
    description: workflow.description ?? '',
    enabled: workflow.enabled ?? true,
    timeout: workflow.timeout ?? '',
    triggers: (workflow.triggers ?? []).map(triggerDraftOf),
    steps: workflow.steps.map((step) => stepDraftOf(step, keys)),
    queue: workflow.queue ?? '',
    maxConcurrent: numberText(workflow.max_concurrent),
    keepSucceeded: workflow.keep?.succeeded ?? '',
    keepFailed: workflow.keep?.failed ?? '',
  }
  definitionOf(draft) // the origins learn what the form makes of them
  return draft
}

function numberText(value: number | undefined): string {
  return value === undefined ? '' : String(value)
}

function triggerDraftOf(trigger: TriggerInput): TriggerDraft {
  const draft = newTrigger([], trigger.timezone ?? 'UTC')
  keepOrigin(draft.key, trigger)
  return {
    ...draft,
    id: trigger.id,
    enabled: trigger.enabled ?? true,
    type: trigger.type,
    event: eventDraftOf(trigger),
    mode: trigger.at ? 'at' : trigger.every ? 'every' : 'cron',
    cron: trigger.cron ?? '0 9 * * *',
    every: trigger.every ?? '10m',
    at: trigger.at ? toLocalInput(trigger.at) : '',
    overlap: trigger.overlap ?? usualOverlap(trigger.type),
    missed: trigger.missed ?? 'latest',
    gap: trigger.gap ?? '',
    overlapHour: trigger.overlap_hour ?? '',
    window: trigger.catch_up_window ?? '',
    limit: numberText(trigger.catch_up_limit),
    grace: trigger.grace ?? '',
    jitter: trigger.jitter ?? '',
    startsAt: trigger.starts_at ? toLocalInput(trigger.starts_at) : '',
    endsAt: trigger.ends_at ? toLocalInput(trigger.ends_at) : '',
    maxRuns: numberText(trigger.max_runs),
    excludedDates: [...(trigger.excluded_dates ?? [])],
    calendar: trigger.calendar ?? '',
    pauseAfter: numberText(trigger.pause_after_failures),
    inputs:
      trigger.inputs && Object.keys(trigger.inputs).length > 0 ? JSON.stringify(trigger.inputs, null, 2) : '',
  }
}

function stepDraftOf(step: Step, keys: ReadonlyMap<string, string>): StepDraft {
  const config = step.config ?? {}
  const draft = newStep(step.action, [])
  const key = keys.get(step.id) ?? draft.key
  keepOrigin(key, step)
  return {
    ...draft,
    key,
    id: step.id,
    idFixed: true,
    name: step.name ?? '',
    http: step.action === 'http_endpoint' ? httpDraftOf(config) : draft.http,
    log:
      step.action === 'log_message'
        ? { message: textOf(config.message), level: textOf(config.level) || 'info' }
        : draft.log,
    other: step.action === 'http_endpoint' ? without(config, httpFields) : config,
    dependsOn: (step.depends_on ?? []).flatMap((id) => keys.get(id) ?? []),
    condition: step.if ?? '',
    retry: {
      on: step.retry !== undefined && (step.retry.attempts ?? 1) > 1,
      attempts: Math.max(2, step.retry?.attempts ?? 3),
      backoff: step.retry?.backoff ?? 'exponential',
      initial: step.retry?.initial ?? '1s',
      max: step.retry?.max ?? '1m',
      when: (step.retry?.on ?? []).join(', '),
    },
    timeout: step.timeout ?? '',
    onError: step.on_error ?? 'fail',
    fallback: keys.get(step.fallback ?? '') ?? '',
    onUnknown: step.on_unknown ?? '',
  }
}

/** What HttpConfig.vue edits; the other fields of an HTTP step are made from the schema. */
export const httpFields: readonly string[] = [
  'method',
  'url',
  'query',
  'headers',
  'body',
  'expect_status',
  'follow_redirects',
]

function without(values: Record<string, unknown>, names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).filter(([name]) => !names.includes(name)))
}

function httpDraftOf(config: Record<string, unknown>): HttpDraft {
  const body = objectOf(config.body)
  const bodyKind: BodyKind =
    'json' in body ? 'json' : 'text' in body ? 'text' : 'form' in body ? 'form' : 'none'
  return {
    method: textOf(config.method) || 'GET',
    url: textOf(config.url),
    query: pairsOf(config.query),
    headers: pairsOf(config.headers),
    bodyKind,
    json: bodyKind === 'json' ? JSON.stringify(body.json, null, 2) : '',
    text: textOf(body.text),
    form: pairsOf(body.form),
    expect: Array.isArray(config.expect_status) ? config.expect_status.join(', ') : '',
    followRedirects: config.follow_redirects !== false,
  }
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : value === undefined || value === null ? '' : String(value)
}

function objectOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}

function pairsOf(value: unknown): Pair[] {
  return Object.entries(objectOf(value)).map(([name, text]) => newPair(name, textOf(text)))
}
