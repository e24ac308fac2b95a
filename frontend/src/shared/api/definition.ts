// Definitions as people keep them in files: without what only the server sets, and with their fields in a readable order.
import type { Trigger, TriggerInput, Workflow, WorkflowInput } from './types'

/** A workflow without what only the server sets: what can be saved, exported and compared. */
export function definitionFrom(workflow: Workflow): WorkflowInput {
  const { name, description, enabled, timeout, queue, max_concurrent, keep, inputs, steps, outputs } =
    workflow
  return {
    name,
    description: description || undefined,
    enabled,
    timeout,
    queue,
    max_concurrent,
    keep,
    inputs,
    triggers: workflow.triggers.map(triggerFrom),
    steps,
    outputs,
  }
}

/** Its address above all stays here: whoever has it can start runs. */
function triggerFrom(trigger: Trigger): TriggerInput {
  const given: Partial<Trigger> = { ...trigger }
  for (const name of serverSet) delete given[name]
  return given as TriggerInput
}
const serverSet = [
  'description',
  'next_fire_at',
  'paused_reason',
  'url',
  'heartbeat',
  'after_workflow_id',
] as const satisfies readonly (keyof Trigger)[]

const order = [
  'name',
  'description',
  'enabled',
  'timeout',
  'queue',
  'max_concurrent',
  'keep',
  'inputs',
  'triggers',
  'steps',
  'outputs',
]
const stepOrder = [
  'id',
  'name',
  'action',
  'config',
  'depends_on',
  'if',
  'retry',
  'timeout',
  'on_error',
  'fallback',
  'on_unknown',
]
const triggerOrder = [
  'id',
  'type',
  'enabled',
  'methods',
  'signature',
  'dedupe',
  'filter',
  'respond',
  'workflow',
  'on',
  'cron',
  'every',
  'at',
  'timezone',
  'gap',
  'overlap_hour',
  'overlap',
  'missed',
  'catch_up_window',
  'catch_up_limit',
  'grace',
  'jitter',
  'starts_at',
  'ends_at',
  'max_runs',
  'excluded_dates',
  'calendar',
  'on_recovery',
  'pause_after_failures',
  'inputs',
]
const configOrder = [
  'method',
  'url',
  'query',
  'headers',
  'body',
  'expect_status',
  'follow_redirects',
  'message',
  'level',
]
const retryOrder = ['attempts', 'backoff', 'initial', 'max', 'on']

/** The same definition with its fields in the order in which people read them; unknown ones come last. */
export function ordered<T extends object>(definition: T): T {
  const { triggers, steps, ...rest } = definition as Record<string, unknown>
  return sorted(
    {
      ...rest,
      ...(Array.isArray(triggers) ? { triggers: triggers.map((item) => sorted(item, triggerOrder)) } : {}),
      ...(Array.isArray(steps)
        ? {
            steps: steps.map((item) => {
              const step = sorted(item, stepOrder)
              if (!isObject(step)) return step
              if (isObject(step.config)) step.config = sorted(step.config, configOrder)
              if (isObject(step.retry)) step.retry = sorted(step.retry, retryOrder)
              return step
            }),
          }
        : {}),
    },
    order,
  ) as T
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function sorted(value: unknown, names: readonly string[]): unknown {
  if (!isObject(value)) return value
  const place = (name: string) => (names.includes(name) ? names.indexOf(name) : names.length)
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => place(a) - place(b)))
}
