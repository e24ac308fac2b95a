// Keys of everything that is kept from the server, and the one place where live events change it: a run is the same
// in every list, on its own page and in the strip of its workflow.
import { type QueryCache, type UseInfiniteQueryData } from '@pinia/colada'
import {
  isFinished,
  type Run,
  type RunPage,
  type RunSummary,
  type Workflow,
  type WorkflowPage,
} from './types'

export const keys = {
  system: ['system'] as const,
  me: ['me'] as const,
  workflows: ['workflows'] as const,
  workflowLists: ['workflows', 'list'] as const,
  workflowList: (filter: object) => ['workflows', 'list', { ...filter }] as const,
  workflow: (id: string) => ['workflows', 'one', id] as const,
  versions: (id: string) => ['workflows', 'versions', id] as const,
  occurrences: (id: string, filter: object) => ['workflows', 'occurrences', id, { ...filter }] as const,
  runs: ['runs'] as const,
  runLists: ['runs', 'list'] as const,
  runList: (filter: object) => ['runs', 'list', { ...filter }] as const,
  run: (id: string) => ['runs', 'one', id] as const,
}

export type Pages<T> = UseInfiniteQueryData<T, string | undefined>

/** What the cache keeps of one workflow: the ETag says which version a form was filled from. */
export interface TaggedWorkflow {
  data: Workflow
  etag: string
}

const stripLength = 14

/** Whether an event may replace what is shown: what has finished never comes back to life. */
export function supersedes(
  next: { status: RunSummary['status'] },
  shown: { status: RunSummary['status'] },
): boolean {
  return !isFinished(shown.status) || isFinished(next.status)
}

function isWhole(run: RunSummary | Run): run is Run {
  return 'steps' in run
}

function summaryOf(run: RunSummary | Run): RunSummary {
  if (!isWhole(run)) return run
  const { inputs, steps, ...summary } = run
  return summary
}

/** The run in the pages, replaced in place; the same object when the run is not there. */
export function withRun(pages: Pages<RunPage>, run: RunSummary): Pages<RunPage> {
  let found = false
  const next = pages.pages.map((page) => {
    const at = page.items.findIndex((item) => item.id === run.id)
    const shown = page.items[at]
    if (!shown || !supersedes(run, shown)) return page
    found = true
    return { ...page, items: page.items.with(at, run) }
  })
  return found ? { ...pages, pages: next } : pages
}

/** The workflow with the run in its strip, newest first. */
export function withRecentRun(workflow: Workflow, run: RunSummary): Workflow {
  if (workflow.id !== run.workflow_id || run.draft) return workflow
  const brief = {
    id: run.id,
    status: run.status,
    created_at: run.created_at,
    started_at: run.started_at,
    finished_at: run.finished_at,
  }
  const at = workflow.recent_runs.findIndex((item) => item.id === run.id)
  const shown = workflow.recent_runs[at]
  if (shown) {
    return supersedes(run, shown)
      ? { ...workflow, recent_runs: workflow.recent_runs.with(at, brief) }
      : workflow
  }
  const oldest = workflow.recent_runs.at(-1)
  if (oldest && workflow.recent_runs.length >= stripLength && run.created_at < oldest.created_at)
    return workflow
  const recent = [brief, ...workflow.recent_runs]
    .sort((a, b) => (a.created_at < b.created_at ? 1 : -1))
    .slice(0, stripLength)
  return { ...workflow, recent_runs: recent }
}

/** Puts a run, from an event or an answer, wherever it is shown. */
export function applyRun(cache: QueryCache, run: RunSummary | Run): void {
  const summary = summaryOf(run)
  for (const entry of cache.getEntries({ key: keys.runLists })) {
    const pages = entry.state.value.data as Pages<RunPage> | undefined
    if (!pages) continue
    const next = withRun(pages, summary)
    if (next !== pages) cache.setQueryData(entry.key, next)
  }
  const shown = cache.getQueryData<Run>(keys.run(run.id))
  if (shown && supersedes(run, shown)) cache.setQueryData(keys.run(run.id), { ...shown, ...run })
  if (!shown && isWhole(run)) cache.setQueryData(keys.run(run.id), run)
  for (const entry of cache.getEntries({ key: keys.workflowLists })) {
    const pages = entry.state.value.data as Pages<WorkflowPage> | undefined
    if (!pages?.pages.some((page) => page.items.some((item) => item.id === run.workflow_id))) continue
    cache.setQueryData(entry.key, {
      ...pages,
      pages: pages.pages.map((page) => ({
        ...page,
        items: page.items.map((item) => withRecentRun(item, summary)),
      })),
    })
  }
  const one = cache.getQueryData<TaggedWorkflow>(keys.workflow(run.workflow_id))
  if (one)
    cache.setQueryData(keys.workflow(run.workflow_id), { ...one, data: withRecentRun(one.data, summary) })
}
