import { useMutation, useQuery, useQueryCache } from '@pinia/colada'
import { computed, onScopeDispose, watch } from 'vue'
import { body, client, newIdempotencyKey } from '@/shared/api/client'
import type { Backfill, BackfillInput, BackfillPage, BackfillPreview } from '@/shared/api/types'

const lists = ['backfills'] as const
const followEvery = 2000 // ms, while one is under way

/** The newest backfills of a trigger; followed while one of them is under way. */
export function useBackfills(workflowID: () => string, trigger: () => string) {
  const query = useQuery<BackfillPage>({
    key: () => ['backfills', workflowID(), trigger()],
    query: ({ signal }) =>
      body(
        client.GET('/workflows/{id}/triggers/{trigger}/backfills', {
          params: { path: { id: workflowID(), trigger: trigger() }, query: { limit: 10 } },
          signal,
        }),
      ),
    enabled: () => trigger() !== '',
  })
  const items = computed(() => query.data.value?.items ?? [])
  let timer: ReturnType<typeof setInterval> | undefined
  watch(
    () => items.value.some((item) => item.state === 'running'),
    (moving) => {
      clearInterval(timer)
      if (moving) timer = setInterval(() => void query.refetch(), followEvery)
    },
    { immediate: true },
  )
  onScopeDispose(() => clearInterval(timer))
  return { items, error: query.error, refetch: () => query.refetch() }
}

export function previewBackfill(
  workflowID: string,
  trigger: string,
  input: BackfillInput,
): Promise<BackfillPreview> {
  const params = { path: { id: workflowID, trigger } }
  return body(client.POST('/workflows/{id}/triggers/{trigger}/backfills/preview', { params, body: input }))
}

export function useStartBackfill() {
  const cache = useQueryCache()
  return useMutation({
    mutation: ({
      workflowID,
      trigger,
      input,
    }: {
      workflowID: string
      trigger: string
      input: BackfillInput
    }) =>
      body<Backfill>(
        client.POST('/workflows/{id}/triggers/{trigger}/backfills', {
          params: { path: { id: workflowID, trigger }, header: { 'Idempotency-Key': newIdempotencyKey() } },
          body: input,
        }),
      ),
    onSuccess: () => cache.invalidateQueries({ key: lists }),
  })
}

export type BackfillAction = 'pause' | 'resume' | 'cancel'

export function useSteerBackfill() {
  const cache = useQueryCache()
  return useMutation({
    mutation: ({ id, action }: { id: string; action: BackfillAction }) =>
      body<Backfill>(client.POST(`/backfills/{id}/${action}`, { params: { path: { id } } })),
    onSettled: () => cache.invalidateQueries({ key: lists }),
  })
}
