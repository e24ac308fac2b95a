import { describe, expect, it } from 'vitest'
import { newDraft } from './model'
import { draftOfSaved, savedOf, type Saved } from './saved'
import { definitionOf } from './write'

/** What is kept of what was kept. */
const again = (saved: Saved) => savedOf(definitionOf(draftOfSaved(saved)))

describe('a draft on the server', () => {
  it('is a definition when everything can be read', () => {
    const saved = {
      name: 'x',
      steps: [{ id: 'a', action: 'log_message', config: { message: 'm', level: 'info' } }],
      triggers: [],
    }
    expect(again(saved)).toEqual(saved)
  })

  it('keeps texts that cannot be read as they were typed', () => {
    const draft = newDraft('UTC')
    draft.maxConcurrent = 'many'
    draft.triggers[0]!.inputs = '{"half": '
    draft.triggers[0]!.pauseAfter = '3x'
    draft.steps[0]!.http.bodyKind = 'json'
    draft.steps[0]!.http.json = '{"a": 1,}'
    draft.steps[0]!.broken = { '/pagination': '{' }
    const saved = savedOf(definitionOf(draft))
    expect(saved.unread).toEqual({
      '/max_concurrent': 'many',
      '/triggers/0/inputs': '{"half": ',
      '/triggers/0/pause_after_failures': '3x',
      '/steps/0/config/body/json': '{"a": 1,}',
      '/steps/0/config/pagination': '{',
    })
    const read = draftOfSaved(JSON.parse(JSON.stringify(saved)) as Saved)
    expect(read.maxConcurrent).toBe('many')
    expect(read.triggers[0]).toMatchObject({ inputs: '{"half": ', pauseAfter: '3x' })
    expect(read.steps[0]!.http).toMatchObject({ bodyKind: 'json', json: '{"a": 1,}' })
    expect(read.steps[0]!.broken).toEqual({ '/pagination': '{' })
    expect(again(saved).unread).toEqual(saved.unread)
  })

  it('can be shown whatever it is', () => {
    for (const saved of [
      {},
      { steps: {} },
      {
        name: 5,
        steps: [null, 1, { config: [] }, { depends_on: [1, null] }],
        triggers: [[], { type: 'moon' }],
      },
      { unread: 7 },
      { unread: { '/steps/9/config/x': 'y', '/triggers/x': 'z', '': 1 } },
    ])
      expect(() => again(saved as Saved)).not.toThrow()
    expect(again({ name: 5, steps: [null] }).name).toBe('')
  })
})
