// What is done to several workflows at once: a few calls at a time, with progress, and what failed by name.
import { useQueryCache } from '@pinia/colada'
import { ref } from 'vue'
import { bodyWithTag, body, client } from '@/shared/api/client'
import { keys } from '@/shared/api/cache'
import { definitionFrom } from '@/shared/api/definition'
import type { Workflow } from '@/shared/api/types'
import { download, fileName } from '@/shared/lib/download'
import { inTurn } from '@/shared/lib/in-turn'
import { fileOf, type SourceFormat } from '@/shared/lib/definition-text'
import { applyWorkflow } from './api'

export type BulkAction = 'run' | 'enable' | 'pause' | 'delete'

export interface BulkOutcome {
  action: BulkAction
  done: number
  failed: { name: string; cause: unknown }[]
}

export function useBulk() {
  const cache = useQueryCache()
  /** What is under way: how many of how many. */
  const progress = ref<{ action: BulkAction; done: number; all: number }>()
  const outcome = ref<BulkOutcome>()

  async function act(action: BulkAction, workflow: Workflow): Promise<void> {
    const params = { path: { id: workflow.id } }
    if (action === 'run') {
      await body(client.POST('/workflows/{id}/runs', { params, body: {} }))
    } else if (action === 'delete') {
      await body(client.DELETE('/workflows/{id}', { params }))
    } else {
      const call = client.POST(action === 'enable' ? '/workflows/{id}/enable' : '/workflows/{id}/disable', {
        params,
      })
      applyWorkflow(cache, await bodyWithTag(call))
    }
  }

  async function start(action: BulkAction, workflows: readonly Workflow[]): Promise<void> {
    outcome.value = undefined
    progress.value = { action, done: 0, all: workflows.length }
    const failures = await inTurn(workflows, (workflow) => act(action, workflow), {
      done: (count) => (progress.value = { action, done: count, all: workflows.length }),
    })
    progress.value = undefined
    outcome.value = {
      action,
      done: workflows.length - failures.length,
      failed: failures.map(({ item, cause }) => ({ name: item.name, cause })),
    }
    if (action === 'delete') await cache.invalidateQueries({ key: keys.workflowLists })
    else await cache.invalidateQueries({ key: keys.workflowLists, active: false })
  }

  return { progress, outcome, start }
}

/** Saves definitions as one file. */
export function exportWorkflows(workflows: readonly Workflow[], format: SourceFormat): void {
  const [only] = workflows
  const name = workflows.length === 1 && only ? only.name : 'workflows'
  const type = format === 'json' ? 'application/json' : 'application/yaml'
  download(fileName(name, format), fileOf(workflows.map(definitionFrom), format), type)
}
