// The part of a trigger's draft that says which event it waits for: a request, another workflow's run, a ping that does not
// come. Text fields are empty for what is not said.
import type { TriggerInput } from '@/shared/api/types'

export type TriggerType = TriggerInput['type']
export type SignatureDraft = Record<
  'scheme' | 'secret' | 'header' | 'algorithm' | 'encoding' | 'prefix' | 'timestampHeader' | 'idHeader',
  string
>

export interface EventDraft {
  methods: string[]
  /** scheme is empty for requests that are not signed. */
  signature: SignatureDraft
  dedupe: { by: '' | 'header' | 'json_path' | 'body'; header: string; path: string; window: string }
  filter: string
  wait: string
  workflow: string
  on: NonNullable<TriggerInput['on']>
  onRecovery: boolean
}

export const triggerTypes: readonly TriggerType[] = ['schedule', 'webhook', 'after', 'heartbeat']
export const webhookMethods = ['POST', 'GET', 'PUT', 'PATCH', 'DELETE'] as const
export const signatureSchemes = ['standard_webhooks', 'github', 'stripe', 'slack', 'hmac'] as const

/** What becomes of an event while a run has not finished, unless it is said. */
export function usualOverlap(type: TriggerType): NonNullable<TriggerInput['overlap']> {
  return type === 'schedule' ? 'skip' : 'allow'
}

export function emptyEvent(): EventDraft {
  return {
    methods: ['POST'],
    signature: {
      scheme: '',
      secret: '',
      header: '',
      algorithm: '',
      encoding: '',
      prefix: '',
      timestampHeader: '',
      idHeader: '',
    },
    dedupe: { by: '', header: '', path: '', window: '' },
    filter: '',
    wait: '',
    workflow: '',
    on: 'success',
    onRecovery: false,
  }
}

export function eventDraftOf(trigger: TriggerInput): EventDraft {
  const { signature, dedupe } = trigger
  return {
    methods: [...(trigger.methods ?? ['POST'])],
    signature: {
      scheme: signature?.scheme ?? '',
      secret: signature?.secret ?? '',
      header: signature?.header ?? '',
      algorithm: signature?.algorithm ?? '',
      encoding: signature?.encoding ?? '',
      prefix: signature?.prefix ?? '',
      timestampHeader: signature?.timestamp_header ?? '',
      idHeader: signature?.id_header ?? '',
    },
    dedupe: {
      by: dedupe?.header ? 'header' : dedupe?.json_path ? 'json_path' : dedupe?.body ? 'body' : '',
      header: dedupe?.header ?? '',
      path: dedupe?.json_path ?? '',
      window: dedupe?.window ?? '',
    },
    filter: trigger.filter ?? '',
    wait: trigger.respond?.wait ?? '',
    workflow: trigger.workflow ?? '',
    on: trigger.on ?? 'success',
    onRecovery: trigger.on_recovery ?? false,
  }
}

type Say = (pointer: string, code: string) => void

/** The fields of a webhook trigger. */
export function webhookOf(event: EventDraft, pointer: string, say: Say): Partial<TriggerInput> {
  const onlyPost = event.methods.length === 1 && event.methods[0] === 'POST'
  if (event.methods.length === 0) say(`${pointer}/methods`, 'required')
  return {
    methods: onlyPost ? undefined : (event.methods as TriggerInput['methods']),
    signature: signatureOf(event.signature, `${pointer}/signature`, say),
    dedupe: dedupeOf(event.dedupe, `${pointer}/dedupe`, say),
    filter: event.filter.trim() || undefined,
    respond: event.wait.trim() ? { wait: event.wait.trim() } : undefined,
  }
}

function signatureOf(draft: SignatureDraft, pointer: string, say: Say): TriggerInput['signature'] {
  if (draft.scheme === '') return undefined
  if (draft.secret.trim() === '') say(`${pointer}/secret`, 'required')
  const base = { scheme: draft.scheme, secret: draft.secret.trim() } as NonNullable<TriggerInput['signature']>
  if (draft.scheme !== 'hmac') return base
  if (draft.header.trim() === '') say(`${pointer}/header`, 'required')
  return {
    ...base,
    header: draft.header.trim() || undefined,
    algorithm: (draft.algorithm || undefined) as typeof base.algorithm,
    encoding: (draft.encoding || undefined) as typeof base.encoding,
    prefix: draft.prefix || undefined,
    timestamp_header: draft.timestampHeader.trim() || undefined,
    id_header: draft.idHeader.trim() || undefined,
  }
}

function dedupeOf(draft: EventDraft['dedupe'], pointer: string, say: Say): TriggerInput['dedupe'] {
  const window = draft.window.trim() || undefined
  switch (draft.by) {
    case '':
      return undefined
    case 'body':
      return { body: true, window }
    case 'header':
      if (draft.header.trim() === '') say(`${pointer}/header`, 'required')
      return { header: draft.header.trim(), window }
    case 'json_path':
      if (draft.path.trim() === '') say(`${pointer}/json_path`, 'required')
      return { json_path: draft.path.trim(), window }
  }
}

/** The fields of a trigger that waits for another workflow. */
export function afterOf(event: EventDraft, pointer: string, say: Say): Partial<TriggerInput> {
  if (event.workflow.trim() === '') say(`${pointer}/workflow`, 'required')
  return { workflow: event.workflow.trim() || undefined, on: event.on === 'success' ? undefined : event.on }
}
