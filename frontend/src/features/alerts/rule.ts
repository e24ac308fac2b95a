// A rule as its form has it, and the way to what the server takes and back.
import type { FieldProblem, Rule, RuleInput } from '@/shared/api/types'

export const kinds = [
  'failure',
  'missed',
  'late_start',
  'late_finish',
  'held',
  'heartbeat',
  'storage',
] as const
export type Kind = (typeof kinds)[number]
export const weekdays = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const
export type Weekday = (typeof weekdays)[number]

export interface RuleDraft {
  name: string
  enabled: boolean
  on: Kind[]
  recovery: boolean
  afterFailures: number | ''
  startWithin: string
  finishWithin: string
  all: boolean
  workflows: string[]
  channels: string[]
  repeat: string
  language: 'en' | 'es'
  timezone: string
  quiet: boolean
  days: Weekday[]
  from: string
  to: string
  drop: boolean
}

/** What a new rule begins with: what most people want, in the reader's language and zone. */
export function newRule(name: string, language: 'en' | 'es', timezone: string): RuleDraft {
  return {
    name,
    enabled: true,
    on: ['failure', 'missed', 'held', 'heartbeat'],
    recovery: true,
    afterFailures: 1,
    startWithin: '10m',
    finishWithin: '1h',
    all: true,
    workflows: [],
    channels: [],
    repeat: '1d',
    language,
    timezone,
    quiet: false,
    days: [...weekdays],
    from: '22:00',
    to: '07:00',
    drop: false,
  }
}

export function readRule(rule: Rule): RuleDraft {
  const fresh = newRule(rule.name, rule.language, rule.timezone)
  return {
    ...fresh,
    enabled: rule.enabled,
    on: kinds.filter((kind) => rule.on.includes(kind)),
    recovery: rule.on.includes('recovery'),
    afterFailures: rule.after_failures,
    startWithin: rule.start_within ?? fresh.startWithin,
    finishWithin: rule.finish_within ?? fresh.finishWithin,
    all: rule.workflows.length === 0,
    workflows: [...rule.workflows],
    channels: [...rule.channels],
    repeat: rule.repeat,
    ...(rule.quiet && {
      quiet: true,
      days: [...rule.quiet.days],
      from: rule.quiet.from,
      to: rule.quiet.to,
      drop: rule.quiet.drop ?? false,
    }),
  }
}

export function writeRule(draft: RuleDraft): RuleInput {
  return {
    name: draft.name.trim(),
    enabled: draft.enabled,
    on: [...draft.on, ...(draft.recovery ? (['recovery'] as const) : [])],
    after_failures: draft.afterFailures === '' ? 1 : draft.afterFailures,
    ...(draft.on.includes('late_start') && { start_within: draft.startWithin.trim() }),
    ...(draft.on.includes('late_finish') && { finish_within: draft.finishWithin.trim() }),
    workflows: draft.all ? [] : draft.workflows,
    channels: draft.channels,
    repeat: draft.repeat.trim() || '0s',
    language: draft.language,
    timezone: draft.timezone.trim() || 'UTC',
    quiet: draft.quiet ? { days: draft.days, from: draft.from, to: draft.to, drop: draft.drop } : null,
  }
}

/** What the form itself sees that is missing; the rest is the server's to say. */
export function missingIn(draft: RuleDraft): FieldProblem[] {
  const missing = (pointer: string): FieldProblem => ({ pointer, code: 'required', message: 'required' })
  return [
    ...(draft.name.trim() === '' ? [missing('/name')] : []),
    ...(draft.on.length === 0 ? [missing('/on')] : []),
    ...(draft.channels.length === 0 ? [missing('/channels')] : []),
    ...(!draft.all && draft.workflows.length === 0 ? [missing('/workflows')] : []),
    ...(draft.quiet && draft.days.length === 0 ? [missing('/quiet/days')] : []),
  ]
}

/** A list with something in it, or without it. */
export function toggled<T>(list: readonly T[], one: T, on: boolean): T[] {
  const rest = list.filter((other) => other !== one)
  return on ? [...rest, one] : rest
}
