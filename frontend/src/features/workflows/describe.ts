import { configSummary } from '@/shared/lib/config-summary'
import type { Step, Trigger, Workflow } from '@/shared/api/types'

/** The trigger that fires next; of those that do not fire any more, the first. */
export function leadingTrigger(workflow: Workflow): Trigger | undefined {
  const due = workflow.triggers
    .filter((trigger) => trigger.next_fire_at !== null)
    .sort((a, b) => ((a.next_fire_at ?? '') < (b.next_fire_at ?? '') ? -1 : 1))
  return due[0] ?? workflow.triggers[0]
}

/** What a step does in a few characters: "GET https://example.com" or the message it logs. */
export function stepSummary(step: Pick<Step, 'action' | 'config'>): string {
  const config = step.config ?? {}
  const text = (value: unknown) => (typeof value === 'string' ? value : '')
  if (step.action === 'http_endpoint') return `${text(config.method) || 'GET'} ${text(config.url)}`.trim()
  if (step.action === 'log_message') return text(config.message)
  return configSummary(config)
}
