import { useQuery, useQueryCache } from '@pinia/colada'
import { computed, onScopeDispose, ref, shallowRef } from 'vue'
import { keys, type TaggedWorkflow } from '@/shared/api/cache'
import { body, bodyWithTag, client } from '@/shared/api/client'
import type { Preview, PreviewRequest, Run, StepTest, StepTestInput, WorkflowInput } from '@/shared/api/types'
import { locale } from '@/shared/i18n'

/** The workflow as it is now, for a form to be filled from; never from the cache, because its ETag guards the save. */
export function fetchWorkflow(id: string): Promise<TaggedWorkflow> {
  return bodyWithTag(client.GET('/workflows/{id}', { params: { path: { id } } }))
}

export function useSaveWorkflow() {
  const cache = useQueryCache()
  /** Creates (no id) or saves a version; with an ETag only if nobody saved in between (412). */
  return async (input: WorkflowInput, id?: string, etag?: string): Promise<TaggedWorkflow> => {
    const answer = await bodyWithTag(
      id
        ? client.PUT('/workflows/{id}', {
            params: { path: { id }, header: { 'If-Match': etag || undefined } },
            body: input,
          })
        : client.POST('/workflows', { body: input }),
    )
    cache.setQueryData(keys.workflow(answer.data.id), answer)
    await cache.invalidateQueries({ key: keys.workflowLists })
    await cache.invalidateQueries({ key: keys.versions(answer.data.id) })
    return answer
  }
}

/** What the server says about a schedule: description, next fires, clock changes. */
export function usePreview(request: () => PreviewRequest | undefined) {
  const asked = computed(() => JSON.stringify(request() ?? null))
  return useQuery<Preview>({
    key: () => ['preview', locale.value, asked.value],
    query: ({ signal }) => body(client.POST('/schedules/preview', { body: request() ?? {}, signal })),
    enabled: () => request() !== undefined,
    staleTime: 10_000,
  })
}

/** Asks the server whether a definition is valid; throws its ApiError when it is not. */
export async function validate(input: WorkflowInput): Promise<void> {
  await body(client.POST('/workflows/validate', { body: input }))
}

/** The newest run of a workflow, with what its steps answered; undefined when there is none. */
export async function lastRun(workflowID: string): Promise<Run | undefined> {
  const page = await body(
    client.GET('/runs', { params: { query: { workflow_id: workflowID, drafts: 'show', limit: 1 } } }),
  )
  const id = page.items[0]?.id
  return id ? body(client.GET('/runs/{id}', { params: { path: { id } } })) : undefined
}

const askEvery = 400 // ms

/** Tries a step and follows it to its end, for as long as the caller lives. */
export function useStepTest() {
  const test = shallowRef<StepTest>()
  const running = ref(false)
  let turn = 0
  let timer: ReturnType<typeof setTimeout> | undefined

  function stop() {
    turn++
    clearTimeout(timer)
    running.value = false
  }
  onScopeDispose(stop)

  async function start(input: StepTestInput): Promise<void> {
    stop()
    const mine = turn
    test.value = undefined
    running.value = true
    try {
      const begun = await body(client.POST('/step-tests', { body: input }))
      await follow(begun, mine)
    } finally {
      if (mine === turn) running.value = false
    }
  }
  async function follow(first: StepTest, mine: number): Promise<void> {
    for (let now = first; mine === turn;) {
      test.value = now
      if (now.status !== 'queued' && now.status !== 'running') return
      await new Promise((resolve) => (timer = setTimeout(resolve, askEvery)))
      if (mine !== turn) return
      now = await body(client.GET('/step-tests/{id}', { params: { path: { id: first.id } } }))
    }
  }
  return { test, running, start, stop }
}
