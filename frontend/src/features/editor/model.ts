// The editor's draft of a workflow: what the form's fields hold, and the way from and to the contract's definition.
// Steps point at each other by a key that never changes, so that an id can be edited without breaking "runs after".
import type { FieldProblem, Retry, Step, TriggerInput, Workflow, WorkflowInput } from '@/shared/api/types'
import { parseObject } from '@/shared/lib/json'
import { startingPreset, cronOf } from './cron'

export interface Pair {
  key: string
  name: string
  value: string
}

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
  /** The configuration of an action this editor has no form for. */
  other: Record<string, unknown>
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
  onError: 'fail' | 'continue'
  /** What there is no form for; it is given back as it came. */
  rest: Pick<Step, 'on_unknown'>
}

export type ScheduleMode = 'cron' | 'every' | 'at'

export interface TriggerDraft {
  key: string
  id: string
  enabled: boolean
  mode: ScheduleMode
  cron: string
  every: string
  /** As <input type="datetime-local"> has it, in the reader's zone. */
  at: string
  timezone: string
  overlap: NonNullable<TriggerInput['overlap']>
  missed: NonNullable<TriggerInput['missed']>
  gap: TriggerInput['gap'] | ''
  overlapHour: TriggerInput['overlap_hour'] | ''
  window: string
  limit: string
  grace: string
  inputs: string
  /** Fields without a form, kept as they are. */
  rest: Pick<
    TriggerInput,
    'starts_at' | 'ends_at' | 'jitter' | 'max_runs' | 'excluded_dates' | 'calendar' | 'pause_after_failures'
  >
}

export interface Draft {
  name: string
  description: string
  enabled: boolean
  timeout: string
  triggers: TriggerDraft[]
  steps: StepDraft[]
  /** Fields without a form, kept as they are. */
  rest: Pick<WorkflowInput, 'queue' | 'max_concurrent' | 'keep'>
}

let lastKey = 0
export function newKey(): string {
  return `k${++lastKey}`
}

export function newPair(name = '', value = ''): Pair {
  return { key: newKey(), name, value }
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

export function newStep(action: string, steps: readonly StepDraft[]): StepDraft {
  const previous = steps.at(-1)
  return {
    key: newKey(),
    id: freeID(
      action === 'http_endpoint' ? 'request' : action === 'log_message' ? 'log' : 'step',
      idsOf(steps),
    ),
    idFixed: false,
    name: '',
    action,
    http: emptyHttp(),
    log: { message: '', level: 'info' },
    other: {},
    dependsOn: previous ? [previous.key] : [],
    condition: '',
    retry: { on: false, attempts: 3, backoff: 'exponential', initial: '1s', max: '1m', when: '' },
    timeout: '',
    onError: 'fail',
    rest: {},
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
    inputs: '',
    rest: {},
  }
}

export function newDraft(timezone: string): Draft {
  return {
    name: '',
    description: '',
    enabled: true,
    timeout: '',
    triggers: [newTrigger([], timezone)],
    steps: [newStep('http_endpoint', [])],
    rest: {},
  }
}

export function duplicateStep(step: StepDraft, steps: readonly StepDraft[]): StepDraft {
  const copy = structuredClone(step)
  const pairs = (list: Pair[]) => list.map((pair) => ({ ...pair, key: newKey() }))
  return {
    ...copy,
    key: newKey(),
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

// ---- from the contract

export function draftOf(
  workflow: Pick<
    Workflow,
    | 'name'
    | 'description'
    | 'enabled'
    | 'timeout'
    | 'queue'
    | 'max_concurrent'
    | 'keep'
    | 'triggers'
    | 'steps'
  >,
): Draft {
  const keys = new Map(workflow.steps.map((step) => [step.id, newKey()]))
  return {
    name: workflow.name,
    description: workflow.description,
    enabled: workflow.enabled,
    timeout: workflow.timeout ?? '',
    triggers: workflow.triggers.map(triggerDraftOf),
    steps: workflow.steps.map((step) => stepDraftOf(step, keys)),
    rest: { queue: workflow.queue, max_concurrent: workflow.max_concurrent, keep: workflow.keep },
  }
}

function triggerDraftOf(trigger: TriggerInput): TriggerDraft {
  return {
    ...newTrigger([], trigger.timezone ?? 'UTC'),
    id: trigger.id,
    enabled: trigger.enabled ?? true,
    mode: trigger.at ? 'at' : trigger.every ? 'every' : 'cron',
    cron: trigger.cron ?? '0 9 * * *',
    every: trigger.every ?? '10m',
    at: trigger.at ? toLocalInput(trigger.at) : '',
    overlap: trigger.overlap ?? 'skip',
    missed: trigger.missed ?? 'latest',
    gap: trigger.gap ?? '',
    overlapHour: trigger.overlap_hour ?? '',
    window: trigger.catch_up_window ?? '',
    limit: trigger.catch_up_limit === undefined ? '' : String(trigger.catch_up_limit),
    grace: trigger.grace ?? '',
    inputs:
      trigger.inputs && Object.keys(trigger.inputs).length > 0 ? JSON.stringify(trigger.inputs, null, 2) : '',
    rest: {
      starts_at: trigger.starts_at,
      ends_at: trigger.ends_at,
      jitter: trigger.jitter,
      max_runs: trigger.max_runs,
      excluded_dates: trigger.excluded_dates,
      calendar: trigger.calendar,
      pause_after_failures: trigger.pause_after_failures,
    },
  }
}

function stepDraftOf(step: Step, keys: ReadonlyMap<string, string>): StepDraft {
  const config = step.config ?? {}
  const draft = newStep(step.action, [])
  return {
    ...draft,
    key: keys.get(step.id) ?? draft.key,
    id: step.id,
    idFixed: true,
    name: step.name ?? '',
    http: step.action === 'http_endpoint' ? httpDraftOf(config) : draft.http,
    log:
      step.action === 'log_message'
        ? { message: textOf(config.message), level: textOf(config.level) || 'info' }
        : draft.log,
    other: config,
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
    rest: { on_unknown: step.on_unknown },
  }
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

/** An instant as <input type="datetime-local"> wants it, in the reader's zone. */
export function toLocalInput(instant: string): string {
  const date = new Date(instant)
  if (Number.isNaN(date.getTime())) return ''
  const local = new Date(date.getTime() - date.getTimezoneOffset() * 60_000)
  return local.toISOString().slice(0, 16)
}

// ---- to the contract

export interface Definition {
  input: WorkflowInput
  /** What the server cannot be asked about, because it cannot be written down: text that is no JSON and the like. */
  problems: FieldProblem[]
}

const identifier = /^[A-Za-z_][A-Za-z0-9_-]{0,63}$/

export function definitionOf(draft: Draft): Definition {
  const problems: FieldProblem[] = []
  const say = (pointer: string, code: string) => problems.push({ pointer, code, message: code })
  if (draft.name.trim() === '') say('/name', 'required')
  if (draft.steps.length === 0) say('/steps', 'no_steps')
  checkIDs(draft.triggers, '/triggers', say)
  checkIDs(draft.steps, '/steps', say)
  const ids = new Map(draft.steps.map((step) => [step.key, step.id]))
  const input: WorkflowInput = {
    name: draft.name.trim(),
    description: draft.description.trim(),
    enabled: draft.enabled,
    timeout: draft.timeout.trim() || undefined,
    triggers: draft.triggers.map((trigger, i) => triggerInputOf(trigger, `/triggers/${i}`, say)),
    steps: draft.steps.map((step, i) => stepInputOf(step, ids, `/steps/${i}`, say)),
    ...draft.rest,
  }
  return { input: clean(input), problems }
}

type Say = (pointer: string, code: string) => void

function checkIDs(items: readonly { id: string }[], pointer: string, say: Say): void {
  const seen = new Set<string>()
  items.forEach(({ id }, i) => {
    if (!identifier.test(id)) say(`${pointer}/${i}/id`, 'identifier')
    else if (seen.has(id)) say(`${pointer}/${i}/id`, 'duplicate_id')
    seen.add(id)
  })
}

function triggerInputOf(trigger: TriggerDraft, pointer: string, say: Say): TriggerInput {
  const inputs = parseObject(trigger.inputs)
  if (!inputs) say(`${pointer}/inputs`, 'json')
  const limit = trigger.limit.trim() === '' ? undefined : Number(trigger.limit)
  if (limit !== undefined && !Number.isInteger(limit)) say(`${pointer}/catch_up_limit`, 'whole_number')
  if (trigger.mode === 'at' && trigger.at === '') say(`${pointer}/at`, 'required')
  return {
    id: trigger.id,
    type: 'schedule',
    enabled: trigger.enabled,
    ...scheduleOf(trigger),
    overlap: trigger.overlap,
    missed: trigger.missed,
    catch_up_window: trigger.window.trim() || undefined,
    catch_up_limit: limit !== undefined && Number.isInteger(limit) ? limit : undefined,
    grace: trigger.grace.trim() || undefined,
    inputs: inputs && Object.keys(inputs).length > 0 ? inputs : undefined,
    ...trigger.rest,
  }
}

/** The part of a trigger that says when it fires; also what the preview is asked about. */
export function scheduleOf(
  trigger: TriggerDraft,
): Pick<TriggerInput, 'cron' | 'every' | 'at' | 'timezone' | 'gap' | 'overlap_hour'> {
  if (trigger.mode === 'every') return { every: trigger.every.trim() }
  if (trigger.mode === 'at') return { at: trigger.at === '' ? undefined : new Date(trigger.at).toISOString() }
  return {
    cron: trigger.cron.trim(),
    timezone: trigger.timezone.trim() || undefined,
    gap: trigger.gap || undefined,
    overlap_hour: trigger.overlapHour || undefined,
  }
}

function stepInputOf(step: StepDraft, ids: ReadonlyMap<string, string>, pointer: string, say: Say): Step {
  return {
    id: step.id,
    name: step.name.trim() || undefined,
    action: step.action,
    config: configOf(step, `${pointer}/config`, say),
    depends_on: step.dependsOn.length > 0 ? step.dependsOn.flatMap((key) => ids.get(key) ?? []) : undefined,
    if: step.condition.trim() || undefined,
    retry: step.retry.on ? retryOf(step, `${pointer}/retry`, say) : undefined,
    timeout: step.timeout.trim() || undefined,
    on_error: step.onError === 'continue' ? 'continue' : undefined,
    on_unknown: step.action === 'http_endpoint' ? step.rest.on_unknown : undefined,
  }
}

function retryOf({ retry }: StepDraft, pointer: string, say: Say): Retry {
  if (!Number.isInteger(retry.attempts)) say(`${pointer}/attempts`, 'whole_number')
  const when = listOf(retry.when)
  return {
    attempts: retry.attempts,
    backoff: retry.backoff,
    initial: retry.initial.trim() || undefined,
    max: retry.max.trim() || undefined,
    on: when.length > 0 ? when : undefined,
  }
}

function configOf(step: StepDraft, pointer: string, say: Say): Record<string, unknown> {
  if (step.action === 'log_message') {
    if (step.log.message.trim() === '') say(`${pointer}/message`, 'required')
    return { message: step.log.message, level: step.log.level }
  }
  if (step.action !== 'http_endpoint') return step.other
  const { http } = step
  if (http.url.trim() === '') say(`${pointer}/url`, 'required')
  const expect = listOf(http.expect)
  return {
    method: http.method,
    url: http.url.trim(),
    query: objectFrom(http.query, `${pointer}/query`, say),
    headers: objectFrom(http.headers, `${pointer}/headers`, say),
    body: bodyOf(http, `${pointer}/body`, say),
    expect_status: expect.length > 0 ? expect : undefined,
    follow_redirects: http.followRedirects ? undefined : false,
  }
}

function bodyOf(http: HttpDraft, pointer: string, say: Say): Record<string, unknown> | undefined {
  switch (http.bodyKind) {
    case 'none':
      return undefined
    case 'text':
      return { text: http.text }
    case 'form':
      return { form: objectFrom(http.form, `${pointer}/form`, say) ?? {} }
    case 'json':
      try {
        return { json: JSON.parse(http.json) as unknown }
      } catch {
        say(`${pointer}/json`, 'json')
        return { json: null }
      }
  }
}

function objectFrom(pairs: readonly Pair[], pointer: string, say: Say): Record<string, string> | undefined {
  const filled = pairs.filter((pair) => pair.name.trim() !== '' || pair.value !== '')
  if (filled.length === 0) return undefined
  const object: Record<string, string> = {}
  for (const { name, value } of filled) {
    const trimmed = name.trim()
    if (trimmed === '') say(pointer, 'name_missing')
    else if (Object.hasOwn(object, trimmed)) say(pointer, 'duplicate_name')
    object[trimmed] = value
  }
  return object
}

/** The parts of a text such as "2xx, 404". */
export function listOf(text: string): string[] {
  return text.split(/[\s,]+/).filter((part) => part !== '')
}

/** The same without fields that are undefined, so that two drafts can be compared as text. */
function clean<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T
}
