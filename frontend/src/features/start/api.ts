import { useQueryCache } from '@pinia/colada'
import { onScopeDispose, ref } from 'vue'
import { keys } from '@/shared/api/cache'
import { body, client } from '@/shared/api/client'
import { toApiError } from '@/shared/api/problem'
import { useErrorText, useFieldText } from '@/shared/ui/error-text'
import type { CrontabLine } from './crontab'

interface Description {
  text?: string
  problem?: string
}

interface Outcome {
  id?: string
  problem?: string
}

/** What the server says of the schedules of a crontab, and the making of workflows of its lines. */
export function useCrontabImport() {
  const cache = useQueryCache()
  const errorText = useErrorText()
  const fieldText = useFieldText()
  const descriptions = ref(new Map<string, Description>())
  const outcomes = ref(new Map<number, Outcome>())
  const busy = ref(false)
  let gone = false
  onScopeDispose(() => (gone = true))

  const said = (cause: unknown) => {
    const error = toApiError(cause)
    return error.fields.length > 0 ? error.fields.map(fieldText).join(' ') : errorText(error)
  }

  async function describe(schedules: readonly { cron: string; zone: string }[]): Promise<void> {
    for (const { cron, zone } of schedules) {
      if (gone) return
      if (descriptions.value.has(cron)) continue
      descriptions.value.set(cron, {})
      try {
        const preview = await body(
          client.POST('/schedules/preview', { body: { cron, timezone: zone, count: 1 } }),
        )
        descriptions.value.set(cron, { text: preview.description })
      } catch (cause) {
        descriptions.value.set(cron, { problem: said(cause) })
      }
    }
  }

  /** Creates one workflow after the other; each line learns what became of it. */
  async function create(jobs: readonly CrontabLine[]): Promise<void> {
    busy.value = true
    try {
      for (const job of jobs) {
        if (!job.definition || outcomes.value.get(job.line)?.id) continue
        try {
          const made = await body(client.POST('/workflows', { body: job.definition }))
          outcomes.value.set(job.line, { id: made.id })
        } catch (cause) {
          outcomes.value.set(job.line, { problem: said(cause) })
        }
      }
    } finally {
      busy.value = false
      await cache.invalidateQueries({ key: keys.workflowLists })
    }
  }

  return { descriptions, describe, create, outcomes, busy }
}
