import { describe, expect, it } from 'vitest'
import type { Workflow, WorkflowInput } from '@/shared/api/types'
import { newPair } from '@/shared/forms/pairs'
import { duplicateStep, freeID, newDraft, newStep, slug } from './model'
import { definitionFrom } from '@/shared/api/definition'
import { draftOf } from './read'
import { definitionOf, listOf } from './write'

const workflow: Workflow = {
  id: '0',
  project_id: '0',
  version: 3,
  created_at: '',
  updated_at: '',
  next_fire_at: null,
  recent_runs: [],
  name: 'Daily exchange rate',
  description: 'Tells the team when the dollar moves',
  enabled: true,
  timeout: '10m',
  queue: 'bulk',
  max_concurrent: 3,
  keep: { succeeded: '7d' },
  triggers: [
    {
      id: 'morning',
      type: 'schedule',
      enabled: true,
      cron: '0 9 * * MON-FRI',
      timezone: 'Europe/Madrid',
      overlap: 'queue_one',
      missed: 'all',
      catch_up_window: '24h',
      catch_up_limit: 5,
      gap: 'skip',
      overlap_hour: 'both',
      starts_at: '2026-01-01T00:00:00.000Z',
      jitter: '5m',
      max_runs: 100,
      excluded_dates: ['2026-12-25'],
      calendar: 'holidays',
      pause_after_failures: 3,
      inputs: { base: 'EUR' },
      description: 'Every weekday at 09:00',
      next_fire_at: null,
      paused_reason: null,
    },
    {
      id: 'often',
      type: 'schedule',
      enabled: false,
      every: '90s',
      description: '',
      next_fire_at: null,
      paused_reason: null,
    },
  ],
  steps: [
    {
      id: 'fetch',
      name: 'Fetch the rate',
      action: 'http_endpoint',
      config: {
        method: 'POST',
        url: 'https://api.example.com/rates',
        query: { base: '{{ inputs.base }}' },
        headers: { Accept: 'application/json' },
        body: { json: { a: [1, '{{ inputs.b }}'] } },
        expect_status: ['2xx', '404'],
        follow_redirects: false,
      },
      retry: { attempts: 4, backoff: 'fixed', initial: '2s', max: '1m', on: ['timeout', '5xx'] },
      timeout: '20s',
      on_unknown: 'fail',
    },
    {
      id: 'note',
      action: 'log_message',
      config: { message: '1 EUR = {{ steps.fetch.body.usd }} USD', level: 'warn' },
      depends_on: ['fetch'],
      if: 'steps.fetch.status == 200',
      on_error: 'continue',
    },
    { id: 'later', action: 'send_mail', config: { to: ['ana@example.com'] }, depends_on: ['note'] },
  ],
}

describe('draftOf and definitionOf', () => {
  it('give back the definition that came in, unknown actions and fields without a form included', () => {
    const { input, problems } = definitionOf(draftOf(definitionFrom(workflow)))
    expect(problems).toEqual([])
    expect(input.steps).toEqual(workflow.steps)
    expect(input.name).toBe(workflow.name)
    expect(input.timeout).toBe('10m')
    expect(input).toMatchObject({ queue: 'bulk', max_concurrent: 3, keep: { succeeded: '7d' } })
    const { description, next_fire_at, paused_reason, ...morning } = workflow.triggers[0]!
    expect(input.triggers?.[0]).toEqual(morning)
    expect(input.triggers?.[1]).toMatchObject({ id: 'often', enabled: false, every: '90s' })
    expect(input.triggers?.[1]).not.toHaveProperty('cron')
  })

  it('changes nothing that was not touched, also where the form shows less than there is', () => {
    const given: WorkflowInput = {
      name: 'A',
      steps: [
        {
          id: 'a',
          action: 'http_endpoint',
          // A number, a list, a field of another version, and one that says what is so anyway.
          config: {
            url: 'https://example.com',
            headers: { n: 1 },
            expect_status: [200],
            later: true,
            method: 'GET',
          },
          retry: { attempts: 1 },
          on_error: 'fail',
        },
        { id: 'b', action: 'log_message', config: { message: 'm' }, depends_on: ['a'] },
      ],
      triggers: [{ id: 't', type: 'schedule', cron: '0 9 * * *', starts_at: '2026-01-01T00:00:30Z' }],
    }
    const draft = draftOf(given)
    expect(definitionOf(draft).input).toEqual(given)
    draft.steps[0]!.http.url = 'https://example.org'
    draft.triggers[0]!.overlap = 'allow'
    const { input } = definitionOf(draft)
    expect(input.steps[0]).toEqual({
      ...given.steps[0],
      config: { ...given.steps[0]!.config, url: 'https://example.org' },
    })
    expect(input.triggers?.[0]).toEqual({ ...given.triggers![0], overlap: 'allow' })
    draft.steps[0]!.action = 'log_message'
    draft.steps[0]!.log.message = 'x'
    expect(definitionOf(draft).input.steps[0]!.config).toMatchObject({ message: 'x', level: 'info' })
  })

  it('keeps "runs after" when an id is changed', () => {
    const draft = draftOf(definitionFrom(workflow))
    draft.steps[0]!.id = 'get_rate'
    expect(definitionOf(draft).input.steps[1]?.depends_on).toEqual(['get_rate'])
  })

  it('leaves out what is as usual', () => {
    const draft = newDraft('Europe/Madrid')
    draft.name = ' A '
    draft.steps[0]!.http.url = 'https://example.com'
    const { input } = definitionOf(draft)
    expect(input.name).toBe('A')
    expect(input.steps[0]).toEqual({
      id: 'request',
      action: 'http_endpoint',
      config: { method: 'GET', url: 'https://example.com' },
    })
  })
})

describe('the problems that only the form can see', () => {
  function codes(change: (draft: ReturnType<typeof newDraft>) => void): string[] {
    const draft = newDraft('UTC')
    draft.name = 'A'
    draft.steps[0]!.http.url = 'https://example.com'
    change(draft)
    return definitionOf(draft).problems.map((problem) => `${problem.pointer} ${problem.code}`)
  }
  it.each<[string, (draft: ReturnType<typeof newDraft>) => void, string[]]>([
    ['nothing wrong', () => undefined, []],
    ['no name', (d) => (d.name = ' '), ['/name required']],
    ['no steps', (d) => (d.steps = []), ['/steps no_steps']],
    ['an id with a space', (d) => (d.steps[0]!.id = 'a b'), ['/steps/0/id identifier']],
    [
      'an id twice',
      (d) =>
        d.steps.push({
          ...newStep('log_message', d.steps),
          id: d.steps[0]!.id,
          log: { message: 'm', level: 'info' },
        }),
      ['/steps/1/id duplicate_id'],
    ],
    ['no URL', (d) => (d.steps[0]!.http.url = ''), ['/steps/0/config/url required']],
    [
      'a body that is no JSON',
      (d) => Object.assign(d.steps[0]!.http, { bodyKind: 'json', json: '{' }),
      ['/steps/0/config/body/json json'],
    ],
    [
      'a header without a name',
      (d) => d.steps[0]!.http.headers.push(newPair('', 'x')),
      ['/steps/0/config/headers name_missing'],
    ],
    [
      'a header twice',
      (d) => d.steps[0]!.http.headers.push(newPair('A', '1'), newPair('A', '2')),
      ['/steps/0/config/headers duplicate_name'],
    ],
    ['inputs that are a list', (d) => (d.triggers[0]!.inputs = '[1]'), ['/triggers/0/inputs json']],
    [
      'a limit that is no number',
      (d) => (d.triggers[0]!.limit = 'many'),
      ['/triggers/0/catch_up_limit whole_number'],
    ],
    ['once, but when', (d) => (d.triggers[0]!.mode = 'at'), ['/triggers/0/at required']],
  ])('%s', (_, change, expected) => {
    expect(codes(change)).toEqual(expected)
  })
})

describe('identifiers', () => {
  it.each([
    ['Fetch the rate', 'fetch_the_rate'],
    ['¿Cuántos días?', 'cuantos_dias'],
    ['2 tries', '_2_tries'],
    ['日本', ''],
    ['  --  ', ''],
  ])('slug(%j) is %j', (name, expected) => {
    expect(slug(name)).toBe(expected)
  })
  it('are numbered when taken', () => {
    expect(freeID('log', [])).toBe('log')
    expect(freeID('log', ['log', 'log_2'])).toBe('log_3')
  })
})

describe('a new and a copied step', () => {
  it('runs after the last one; the copy has a key and an id of its own and the same content', () => {
    const first = newStep('http_endpoint', [])
    first.http.headers.push(newPair('A', '1'))
    const second = newStep('log_message', [first])
    expect(second.dependsOn).toEqual([first.key])
    const copy = duplicateStep(first, [first, second])
    expect(copy.key).not.toBe(first.key)
    expect(copy.id).toBe('request_2')
    expect(copy.http.headers).toMatchObject([{ name: 'A', value: '1' }])
    copy.http.headers[0]!.value = '2'
    expect(first.http.headers[0]!.value).toBe('1')
  })
})

it('lists are split at commas and blanks', () => {
  expect(listOf(' 2xx, 404  500,')).toEqual(['2xx', '404', '500'])
  expect(listOf('')).toEqual([])
})
