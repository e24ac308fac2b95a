import { useMutation, useQuery, useQueryCache } from '@pinia/colada'
import { computed, onScopeDispose, ref, shallowRef } from 'vue'
import { useI18n } from 'vue-i18n'
import { body, client } from '@/shared/api/client'
import { usePaged } from '@/shared/api/paged'
import type {
  Alert,
  AlertKind,
  Channel,
  ChannelInput,
  ChannelType,
  Mute,
  Rule,
  RuleInput,
} from '@/shared/api/types'
import { actionText } from '@/shared/forms/texts'
import { locale } from '@/shared/i18n'

const most = 100 // of channels, and of rules

export type AlertState = 'kept' | 'digested' | 'dropped' | 'waiting' | 'sent' | 'failed'

export function useAlerts(filter: () => { kind?: AlertKind; state?: AlertState; workflow_id?: string }) {
  return usePaged<Alert>({
    key: () => ['alerts', 'list', { ...filter() }],
    fetch: (cursor, signal) =>
      body(client.GET('/alerts', { params: { query: { ...filter(), cursor, limit: 50 } }, signal })),
  })
}

export function useChannels() {
  return usePaged<Channel>({
    key: () => ['alerts', 'channels'],
    fetch: (cursor, signal) =>
      body(client.GET('/alert-channels', { params: { query: { cursor, limit: most } }, signal })),
  })
}

export function useRules(workflowID?: () => string) {
  return usePaged<Rule>({
    key: () => ['alerts', 'rules', workflowID?.() ?? ''],
    fetch: (cursor, signal) =>
      body(
        client.GET('/alert-rules', {
          params: { query: { cursor, limit: most, workflow_id: workflowID?.() } },
          signal,
        }),
      ),
  })
}

/** What can send alerts, as the server describes it. */
export function useChannelTypes() {
  const query = useQuery({
    key: ['alerts', 'types'],
    query: ({ signal }) => body(client.GET('/alert-channel-types', { signal })),
    staleTime: Infinity,
  })
  const types = computed<readonly ChannelType[]>(() => query.data.value?.items ?? [])
  const find = (type: string) => types.value.find((one) => one.type === type)
  const { t } = useI18n()
  /** Its name, for people. A step calls an API; what is told calls a webhook. */
  const titleOf = (type: string) =>
    type === 'http_endpoint' ? t('alerts.webhook') : actionText(find(type)?.title) || type
  return { types, find, titleOf }
}

/** The secrets and variables that a channel may name. */
export function useNames(projectID: () => string | undefined) {
  const named = (path: '/secrets' | '/variables') =>
    useQuery({
      key: () => ['names', path, projectID() ?? ''],
      query: ({ signal }) =>
        body(client.GET(path, { params: { query: { project_id: projectID(), limit: 200 } }, signal })),
      staleTime: 30_000,
    })
  const secrets = named('/secrets')
  const variables = named('/variables')
  return computed(() => [
    ...(secrets.data.value?.items ?? []).map(({ name }) => ({ text: `secrets.${name}` })),
    ...(variables.data.value?.items ?? []).map(({ name }) => ({ text: `vars.${name}` })),
  ])
}

/** A change after which everything about alerts is asked for anew. */
function useChange<V, R>(change: (value: V) => Promise<R>) {
  const cache = useQueryCache()
  return useMutation({
    mutation: change,
    onSuccess: () => cache.invalidateQueries({ key: ['alerts'] }),
  })
}

export function useSaveChannel() {
  return useChange(({ id, input }: { id?: string; input: ChannelInput }) =>
    body<Channel>(
      id
        ? client.PUT('/alert-channels/{id}', { params: { path: { id } }, body: input })
        : client.POST('/alert-channels', { body: input }),
    ),
  )
}

export function useSaveRule() {
  return useChange(({ id, input }: { id?: string; input: RuleInput }) =>
    body<Rule>(
      id
        ? client.PUT('/alert-rules/{id}', { params: { path: { id } }, body: input })
        : client.POST('/alert-rules', { body: input }),
    ),
  )
}

export function useDelete(path: '/alert-channels/{id}' | '/alert-rules/{id}') {
  return useChange(async (id: string) => {
    await body(client.DELETE(path, { params: { path: { id } } }))
  })
}

export function useRetryAlert() {
  return useChange((id: string) => body(client.POST('/alerts/{id}/retry', { params: { path: { id } } })))
}

export function useMute(workflowID: () => string) {
  return useQuery<Mute>({
    key: () => ['alerts', 'mute', workflowID()],
    query: ({ signal }) =>
      body(client.GET('/workflows/{id}/mute', { params: { path: { id: workflowID() } }, signal })),
  })
}

/** Mutes a workflow for a time, or not any more. */
export function useSetMute(workflowID: () => string) {
  return useChange(async (time: string | undefined) => {
    const params = { path: { id: workflowID() } }
    await body<unknown>(
      time
        ? client.PUT('/workflows/{id}/mute', { params, body: { for: time } })
        : client.DELETE('/workflows/{id}/mute', { params }),
    )
  })
}

const look = 700 // milliseconds between two looks at a test

/** Sends a test to a channel, and waits until it arrived or did not. */
export function useChannelTest() {
  const cache = useQueryCache()
  const alert = shallowRef<Alert>()
  const running = ref(false)
  let turn = 0
  onScopeDispose(() => turn++)

  async function start(channelID: string) {
    const mine = ++turn
    running.value = true
    alert.value = undefined
    try {
      let next = await body(
        client.POST('/alert-channels/{id}/test', {
          params: { path: { id: channelID } },
          body: { language: locale.value },
        }),
      )
      for (;;) {
        if (mine !== turn) return
        alert.value = next
        if (!isUnderway(next)) break
        await new Promise((resolve) => setTimeout(resolve, look))
        next = await body(client.GET('/alerts/{id}', { params: { path: { id: next.id } } }))
      }
      void cache.invalidateQueries({ key: ['alerts', 'list'] })
    } finally {
      if (mine === turn) running.value = false
    }
  }
  return { alert, running, start }
}

/** Whether something of a message is still on its way. */
export function isUnderway(alert: Pick<Alert, 'deliveries'>): boolean {
  return alert.deliveries.some(({ state }) => state === 'waiting' || state === 'sending')
}
