// From the editor's draft to a definition of the contract, with the problems that only the form can see.
import type { FieldProblem, Retry, Step, TriggerInput, WorkflowInput } from '@/shared/api/types'
import type { Pair } from '@/shared/forms/pairs'
import { parseObject } from '@/shared/lib/json'
import { fromLocalInput } from '@/shared/lib/zone'
import { afterOf, webhookOf } from './event'
import type { Draft, HttpDraft, StepDraft, TriggerDraft } from './model'
import { withOrigin } from './origin'

export interface Definition {
  input: WorkflowInput
  /** What the server cannot be asked about, because it cannot be written down: text that is no JSON and the like. */
  problems: FieldProblem[]
  /** Texts that cannot be read as what they stand for, by their pointer: a draft keeps them as they were typed. */
  unread: Record<string, string>
}

const identifier = /^[A-Za-z_][A-Za-z0-9_-]{0,63}$/

export function definitionOf(draft: Draft): Definition {
  const problems: FieldProblem[] = []
  const unread: Record<string, string> = {}
  const say: Say = (pointer, code, text) => {
    problems.push({ pointer, code, message: code })
    if (text !== undefined) unread[pointer] = text
  }
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
    queue: draft.queue || undefined,
    max_concurrent: wholeNumber(draft.maxConcurrent, '/max_concurrent', say),
    keep: keepOf(draft),
    triggers: draft.triggers.map((trigger, i) =>
      withOrigin(trigger.key, clean(triggerInputOf(trigger, `/triggers/${i}`, say))),
    ),
    steps: draft.steps.map((step, i) =>
      withOrigin(step.key, clean(stepInputOf(step, ids, `/steps/${i}`, say))),
    ),
  }
  return { input: withOrigin(draft.key, clean(input), ['triggers', 'steps']), problems, unread }
}

function keepOf(draft: Draft): WorkflowInput['keep'] {
  const succeeded = draft.keepSucceeded.trim() || undefined
  const failed = draft.keepFailed.trim() || undefined
  return succeeded || failed ? { succeeded, failed } : undefined
}

/** The number that a field holds; undefined when it is empty, or when it is none, which is said. */
function wholeNumber(text: string, pointer: string, say: Say): number | undefined {
  if (text.trim() === '') return undefined
  const value = Number(text)
  if (Number.isInteger(value)) return value
  say(pointer, 'whole_number', text)
  return undefined
}

/** The instant of a local date field, which may be empty. */
function instantOf(text: string): string | undefined {
  return text === '' ? undefined : fromLocalInput(text)
}

type Say = (pointer: string, code: string, text?: string) => void

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
  if (!inputs) say(`${pointer}/inputs`, 'json', trigger.inputs)
  const number = (text: string, field: string) => wholeNumber(text, `${pointer}/${field}`, say)
  const common = {
    id: trigger.id,
    type: trigger.type,
    enabled: trigger.enabled,
    overlap: trigger.overlap,
    pause_after_failures: number(trigger.pauseAfter, 'pause_after_failures'),
    inputs: inputs && Object.keys(inputs).length > 0 ? inputs : undefined,
  }
  if (trigger.type === 'webhook') return { ...common, ...webhookOf(trigger.event, pointer, say) }
  if (trigger.type === 'after') return { ...common, ...afterOf(trigger.event, pointer, say) }
  if (trigger.type === 'heartbeat') return { ...common, ...heartbeatOf(trigger) }
  if (trigger.mode === 'at' && trigger.at === '') say(`${pointer}/at`, 'required')
  return {
    ...common,
    ...scheduleOf(trigger),
    missed: trigger.missed,
    catch_up_window: trigger.window.trim() || undefined,
    catch_up_limit: number(trigger.limit, 'catch_up_limit'),
    grace: trigger.grace.trim() || undefined,
    max_runs: number(trigger.maxRuns, 'max_runs'),
  }
}

/** When pings are expected. */
function heartbeatOf(trigger: TriggerDraft): Partial<TriggerInput> {
  const often =
    trigger.mode === 'cron'
      ? { cron: trigger.cron.trim(), timezone: trigger.timezone.trim() || undefined }
      : { every: trigger.every.trim() }
  return {
    ...often,
    grace: trigger.grace.trim() || undefined,
    on_recovery: trigger.event.onRecovery || undefined,
  }
}

/** The part of a trigger that says when it fires; also what the preview is asked about. */
export function scheduleOf(
  trigger: TriggerDraft,
): Pick<
  TriggerInput,
  | 'cron'
  | 'every'
  | 'at'
  | 'timezone'
  | 'gap'
  | 'overlap_hour'
  | 'jitter'
  | 'starts_at'
  | 'ends_at'
  | 'excluded_dates'
  | 'calendar'
> {
  const bounds = {
    jitter: trigger.jitter.trim() || undefined,
    starts_at: instantOf(trigger.startsAt),
    ends_at: instantOf(trigger.endsAt),
    excluded_dates: trigger.excludedDates.length > 0 ? [...trigger.excludedDates] : undefined,
    calendar: trigger.calendar.trim() || undefined,
  }
  // The zone of an interval or an instant is the one in which dates are excluded.
  const zone = trigger.timezone.trim() || undefined
  const zoned = bounds.excluded_dates || bounds.calendar ? zone : undefined
  if (trigger.mode === 'every') return { every: trigger.every.trim(), timezone: zoned, ...bounds }
  if (trigger.mode === 'at') return { at: instantOf(trigger.at), timezone: zoned, ...bounds }
  return {
    cron: trigger.cron.trim(),
    timezone: zone,
    gap: trigger.gap || undefined,
    overlap_hour: trigger.overlapHour || undefined,
    ...bounds,
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
    on_error: step.onError === 'fail' ? undefined : step.onError,
    fallback: step.onError === 'fallback' ? ids.get(step.fallback) : undefined,
    on_unknown: step.onUnknown || undefined,
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
  for (const [path, text] of Object.entries(step.broken)) say(`${pointer}${path}`, 'json', text)
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
    ...step.other,
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
        say(`${pointer}/json`, 'json', http.json)
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
