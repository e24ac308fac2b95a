import { expect, it } from 'vitest'
import type { TriggerInput } from '@/shared/api/types'
import { newTrigger } from './model'
import { draftOf } from './read'
import { definitionOf } from './write'

const steps = [{ id: 'say', action: 'log_message', config: { message: 'hello' } }]
const triggers: TriggerInput[] = [
  { id: 'plain', type: 'webhook' },
  {
    id: 'full',
    type: 'webhook',
    methods: ['POST', 'PUT'],
    signature: {
      scheme: 'hmac',
      secret: 'key',
      header: 'X-Sign',
      algorithm: 'sha512',
      encoding: 'base64',
      prefix: 'v=',
    },
    dedupe: { json_path: 'data.id', window: '1h' },
    filter: 'inputs.body.ok',
    respond: { wait: '10s' },
    overlap: 'queue_all',
    inputs: { a: 1 },
    pause_after_failures: 3,
  },
  {
    id: 'github',
    type: 'webhook',
    signature: { scheme: 'github', secret: 'gh' },
    dedupe: { header: 'X-Id' },
  },
  { id: 'after', type: 'after', workflow: 'first', on: 'any' },
  { id: 'beat', type: 'heartbeat', every: '1h', grace: '5m', on_recovery: true },
  { id: 'nightly', type: 'heartbeat', cron: '0 3 * * *', timezone: 'Europe/Madrid' },
]

it('reads and writes each type of trigger without changing it', () => {
  for (const trigger of triggers) {
    const given = { name: 'w', enabled: true, steps, triggers: [trigger] }
    const written = definitionOf(draftOf(given))
    expect(written.problems).toEqual([])
    expect(written.input.triggers?.[0]).toEqual(trigger)
  }
})

it('writes only what belongs to the type that is chosen', () => {
  const trigger = newTrigger([], 'Europe/Madrid')
  const draft = draftOf({ name: 'w', steps, triggers: [] })
  draft.triggers = [
    { ...trigger, type: 'webhook', overlap: 'allow', maxRuns: '3', excludedDates: ['2026-12-25'] },
  ]
  expect(definitionOf(draft).input.triggers?.[0]).toEqual({
    id: trigger.id,
    type: 'webhook',
    enabled: true,
    overlap: 'allow',
  })
})

it('says what is missing', () => {
  const draft = draftOf({ name: 'w', steps, triggers: [{ id: 'hook', type: 'webhook' }] })
  const event = draft.triggers[0]!.event
  event.methods = []
  event.signature.scheme = 'hmac'
  event.dedupe.by = 'header'
  const pointers = definitionOf(draft).problems.map((problem) => problem.pointer)
  expect(pointers).toEqual([
    '/triggers/0/methods',
    '/triggers/0/signature/secret',
    '/triggers/0/signature/header',
    '/triggers/0/dedupe/header',
  ])
  draft.triggers[0]!.type = 'after'
  expect(definitionOf(draft).problems.map((problem) => problem.pointer)).toEqual(['/triggers/0/workflow'])
})
