import { expect, it } from 'vitest'
import { definitionFrom } from './definition'
import type { Workflow } from './types'

it('keeps addresses and states out of what is exported', () => {
  const workflow = {
    name: 'w',
    steps: [],
    triggers: [
      {
        id: 'hook',
        type: 'webhook',
        enabled: true,
        description: 'When a request comes',
        next_fire_at: null,
        paused_reason: null,
        url: 'https://orq.example.com/hooks/secret',
        filter: 'inputs.body.ok',
      },
    ],
  } as unknown as Workflow
  expect(definitionFrom(workflow).triggers).toEqual([
    { id: 'hook', type: 'webhook', enabled: true, filter: 'inputs.body.ok' },
  ])
})
