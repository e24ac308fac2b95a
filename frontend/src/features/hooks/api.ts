import { useMutation, useQuery, useQueryCache } from '@pinia/colada'
import { applyRun, keys } from '@/shared/api/cache'
import { body, bodyWithTag, client } from '@/shared/api/client'
import { usePaged } from '@/shared/api/paged'
import type { Delivery, DeliverySummary, DeliveryVerdict } from '@/shared/api/types'

export const verdicts: readonly DeliveryVerdict[] = [
  'accepted',
  'duplicate',
  'filtered',
  'skipped',
  'refused',
]

const deliveriesKey = (workflow: string, trigger: string) => ['deliveries', workflow, trigger] as const

/** What arrived at a webhook trigger, the newest first. */
export function useDeliveries(
  workflow: () => string,
  trigger: () => string,
  verdict: () => DeliveryVerdict | undefined,
) {
  return usePaged<DeliverySummary>({
    key: () => [...deliveriesKey(workflow(), trigger()), verdict() ?? ''],
    fetch: (cursor, signal) =>
      body(
        client.GET('/workflows/{id}/triggers/{trigger}/deliveries', {
          params: {
            path: { id: workflow(), trigger: trigger() },
            query: { verdict: verdict(), cursor, limit: 10 },
          },
          signal,
        }),
      ),
  })
}

/** A delivery with its body. */
export function useDelivery(id: () => string) {
  return useQuery<Delivery>({
    key: () => ['delivery', id()],
    query: ({ signal }) => body(client.GET('/deliveries/{id}', { params: { path: { id: id() } }, signal })),
    staleTime: Infinity,
  })
}

/** Runs a delivery once more, by the workflow as it is now or by its draft. */
export function useReplay(workflow: () => string, trigger: () => string) {
  const cache = useQueryCache()
  return useMutation({
    mutation: ({ id, version }: { id: string; version: 'current' | 'draft' }) =>
      body(client.POST('/deliveries/{id}/replay', { params: { path: { id } }, body: { version } })),
    async onSuccess(run) {
      applyRun(cache, run)
      await cache.invalidateQueries({ key: deliveriesKey(workflow(), trigger()) })
    },
  })
}

/** Gives a trigger another address; the old one stops working after a time, or at once. */
export function useRotate(workflow: () => string, trigger: () => string) {
  const cache = useQueryCache()
  return useMutation({
    mutation: (keepOld: string) =>
      bodyWithTag(
        client.POST('/workflows/{id}/triggers/{trigger}/rotate-url', {
          params: { path: { id: workflow(), trigger: trigger() } },
          body: keepOld ? { keep_old: keepOld } : {},
        }),
      ),
    onSuccess: (answer) => cache.setQueryData(keys.workflow(answer.data.id), answer),
  })
}
