// The editor's draft of a workflow: what the form's fields hold, and the way from and to the contract's definition.
// Steps point at each other by a key that never changes, so that an id can be edited without breaking "runs after".
// read.ts makes it from a definition, write.ts makes a definition of it.
import type { Retry, Step, TriggerInput, WorkflowInput } from '@/shared/api/types'
import { newKey, type Pair } from '@/shared/forms/pairs'
import { configSummary } from '@/shared/lib/config-summary'
import { cronOf, startingPreset } from './cron'
import { emptyEvent, type EventDraft, type TriggerType } from './event'
import { copyOrigin } from './origin'

export const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'] as const
export const logLevels = ['debug', 'info', 'warn', 'error'] as const
export type BodyKind = 'none' | 'json' | 'text' | 'form'

export interface HttpDraft {
  method: string
  url: string
  query: Pair[]
  headers: Pair[]
  bodyKind: BodyKind
  json: string
  text: string
  form: Pair[]
  expect: string
  followRedirects: boolean
}

export interface StepDraft {
  key: string
  id: string
  /** The id was written by a person; else it follows the name. */
  idFixed: boolean
  name: string
  action: string
  http: HttpDraft
  log: { message: string; level: string }
  /** The configuration, as far as it is edited by fields made from the action's schema. */
  other: Record<string, unknown>
  /** Texts in it that are no JSON yet, by their pointer within the configuration. */
  broken: Record<string, string>
  dependsOn: string[]
  condition: string
  retry: {
    on: boolean
    attempts: number
    backoff: NonNullable<Retry['backoff']>
    initial: string
    max: string
    when: string
  }
  timeout: string
  onError: 'fail' | 'continue' | 'fallback'
  /** The key of the step that stands in for it. */
  fallback: string
  onUnknown: NonNullable<Step['on_unknown']> | ''
}

export type ScheduleMode = 'cron' | 'every' | 'at'

export interface TriggerDraft {
  key: string
  id: string
  enabled: boolean
  type: TriggerType
  /** Of types other than schedule. */
  event: EventDraft
  mode: ScheduleMode
  cron: string
  every: string
  /** As <input type="datetime-local"> has it, in the reader's zone; so are startsAt and endsAt. */
  at: string
  timezone: string
  overlap: NonNullable<TriggerInput['overlap']>
  missed: NonNullable<TriggerInput['missed']>
  gap: TriggerInput['gap'] | ''
  overlapHour: TriggerInput['overlap_hour'] | ''
  window: string
  limit: string
  grace: string
  jitter: string
  startsAt: string
  endsAt: string
  maxRuns: string
  excludedDates: string[]
  calendar: string
  pauseAfter: string
  inputs: string
}

export interface Draft {
  /** Under it what the draft was read from is kept; see origin.ts. */
  key: string
  name: string
  description: string
  enabled: boolean
  timeout: string
  triggers: TriggerDraft[]
  steps: StepDraft[]
  queue: NonNullable<WorkflowInput['queue']> | ''
  maxConcurrent: string
  keepSucceeded: string
  keepFailed: string
}

/** An identifier made of a name: "Fetch the rate" is fetch_the_rate, accents dropped; "" when nothing is left. */
export function slug(name: string): string {
  const plain = name
    .normalize('NFD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^_+|_+$/g, '')
    .slice(0, 40)
  return /^[0-9]/.test(plain) ? `_${plain}` : plain
}

/** The wanted id, with a number behind it when it is taken. */
export function freeID(wanted: string, taken: readonly string[]): string {
  if (!taken.includes(wanted)) return wanted
  for (let n = 2; ; n++) {
    if (!taken.includes(`${wanted}_${n}`)) return `${wanted}_${n}`
  }
}

function emptyHttp(): HttpDraft {
  return {
    method: 'GET',
    url: '',
    query: [],
    headers: [],
    bodyKind: 'none',
    json: '',
    text: '',
    form: [],
    expect: '',
    followRedirects: true,
  }
}

const firstIDs: Readonly<Record<string, string>> = {
  http_endpoint: 'request',
  log_message: 'log',
  send_email: 'mail',
  run_workflow: 'run',
}

export function newStep(action: string, steps: readonly StepDraft[]): StepDraft {
  const previous = steps.at(-1)
  return {
    key: newKey(),
    id: freeID(firstIDs[action] ?? action, idsOf(steps)),
    idFixed: false,
    name: '',
    action,
    http: emptyHttp(),
    log: { message: '', level: 'info' },
    other: {},
    broken: {},
    dependsOn: previous ? [previous.key] : [],
    condition: '',
    retry: { on: false, attempts: 3, backoff: 'exponential', initial: '1s', max: '1m', when: '' },
    timeout: '',
    onError: 'fail',
    fallback: '',
    onUnknown: '',
  }
}

export function newTrigger(triggers: readonly TriggerDraft[], timezone: string): TriggerDraft {
  return {
    key: newKey(),
    id: freeID(
      'schedule',
      triggers.map((trigger) => trigger.id),
    ),
    enabled: true,
    type: 'schedule',
    event: emptyEvent(),
    mode: 'cron',
    cron: cronOf(startingPreset('daily')),
    every: '10m',
    at: '',
    timezone,
    overlap: 'skip',
    missed: 'latest',
    gap: '',
    overlapHour: '',
    window: '',
    limit: '',
    grace: '',
    jitter: '',
    startsAt: '',
    endsAt: '',
    maxRuns: '',
    excludedDates: [],
    calendar: '',
    pauseAfter: '',
    inputs: '',
  }
}

export function newDraft(timezone: string): Draft {
  return {
    key: newKey(),
    name: '',
    description: '',
    enabled: true,
    timeout: '',
    triggers: [newTrigger([], timezone)],
    steps: [newStep('http_endpoint', [])],
    queue: '',
    maxConcurrent: '',
    keepSucceeded: '',
    keepFailed: '',
  }
}

/** What a step does in a few characters: "GET https://example.com" or the message it logs. */
export function draftSummary(step: StepDraft): string {
  if (step.action === 'http_endpoint') return `${step.http.method} ${step.http.url}`
  if (step.action === 'log_message') return step.log.message
  return configSummary(step.other) || step.action
}

export function duplicateStep(step: StepDraft, steps: readonly StepDraft[]): StepDraft {
  const copy = structuredClone(step)
  const pairs = (list: Pair[]) => list.map((pair) => ({ ...pair, key: newKey() }))
  const key = newKey()
  copyOrigin(step.key, key)
  return {
    ...copy,
    key,
    id: freeID(step.id, idsOf(steps)),
    idFixed: true,
    http: {
      ...copy.http,
      query: pairs(copy.http.query),
      headers: pairs(copy.http.headers),
      form: pairs(copy.http.form),
    },
  }
}

function idsOf(steps: readonly StepDraft[]): string[] {
  return steps.map((step) => step.id)
}
