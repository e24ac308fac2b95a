// Workflows to begin with. Each works as it stands once its addresses are filled in; "hello" needs none.
import type { WorkflowInput } from '@/shared/api/types'

export const templateIDs = [
  'hello',
  'health',
  'report',
  'chat',
  'hook',
  'approve',
  'forward',
  'fallback',
  'pages',
  'watch',
  'later',
  'job',
] as const
export type TemplateID = (typeof templateIDs)[number]

/** The definition of a template; text gives a sentence in the reader's language by its name. */
export function templateOf(id: TemplateID, zone: string, text: (name: string) => string): WorkflowInput {
  const schedule = (cron: string, more: object = {}) => ({
    id: 'schedule',
    type: 'schedule' as const,
    cron,
    timezone: zone,
    ...more,
  })
  const say = (step: string, message: string, more: object = {}) => ({
    id: step,
    name: text(step),
    action: 'log_message',
    config: { message },
    ...more,
  })
  const call = (step: string, config: object, more: object = {}) => ({
    id: step,
    name: text(step),
    action: 'http_endpoint',
    config: { method: 'GET', url: '', ...config },
    ...more,
  })
  const make = (step: string, value: object) => ({
    id: step,
    name: text(step),
    action: 'transform',
    config: { value },
  })
  const hook = { id: 'hook', type: 'webhook' as const }
  const base = { name: text('name'), description: text('description') }
  switch (id) {
    case 'hello':
      return {
        ...base,
        triggers: [schedule('* * * * *')],
        steps: [
          say('greet', text('greeting')),
          say('tell', '{{ steps.greet.message }} ({{ trigger.type }})', { depends_on: ['greet'] }),
        ],
      }
    case 'health':
      return {
        ...base,
        triggers: [schedule('*/5 * * * *')],
        steps: [
          call('check', {}, { timeout: '15s', retry: { attempts: 3, initial: '5s' } }),
          say('well', `${text('answered')} {{ steps.check.status }}`, { depends_on: ['check'] }),
        ],
      }
    case 'report':
      return {
        ...base,
        triggers: [schedule('0 9 * * MON-FRI')],
        steps: [
          call(
            'fetch',
            { headers: { Accept: 'application/json' } },
            { timeout: '30s', retry: { attempts: 4 } },
          ),
          say('note', '{{ steps.fetch.body }}', { depends_on: ['fetch'], if: 'steps.fetch.status == 200' }),
        ],
      }
    case 'chat':
      return {
        ...base,
        triggers: [schedule('0 9 * * MON-FRI')],
        steps: [
          call('post', { method: 'POST', body: { json: { text: text('reminder') } } }, { timeout: '20s' }),
        ],
      }
    case 'forward':
      return {
        ...base,
        triggers: [schedule('0 * * * *')],
        steps: [
          call('fetch', {}, { retry: { attempts: 3 } }),
          call(
            'send',
            { method: 'POST', body: { json: { data: '{{ steps.fetch.body }}' } } },
            { depends_on: ['fetch'], if: 'steps.fetch.status == 200' },
          ),
        ],
      }
    case 'hook':
      return {
        ...base,
        triggers: [hook],
        steps: [
          make('pick', {
            event: '{{ inputs.body.event ?? "unknown" }}',
            at: '{{ run.created_at }}',
          }),
          call('send', { method: 'POST', body: { json: '{{ steps.pick }}' } }, { depends_on: ['pick'] }),
        ],
      }
    case 'approve':
      return {
        ...base,
        triggers: [schedule('0 9 1 * *')],
        steps: [
          call('fetch', {}, { retry: { attempts: 3 } }),
          {
            id: 'ask',
            name: text('ask'),
            action: 'approval',
            config: { message: `${text('question')}\n{{ steps.fetch.body }}`, timeout: '3d' },
            depends_on: ['fetch'],
          },
          call(
            'act',
            { method: 'POST', body: { json: { by: '{{ steps.ask.by }}' } } },
            { depends_on: ['ask'] },
          ),
        ],
      }
    case 'fallback':
      return {
        ...base,
        triggers: [schedule('0 * * * *')],
        steps: [
          call('fetch', {}, { timeout: '15s', on_error: 'fallback', fallback: 'backup' }),
          call('backup', {}, { retry: { attempts: 3 } }),
          say('note', '{{ steps.backup.body ?? steps.fetch.body }}', { depends_on: ['fetch'] }),
        ],
      }
    case 'pages':
      return {
        ...base,
        triggers: [schedule('0 6 * * *')],
        steps: [
          call('fetch', { paginate: { next: 'next_link', collect: 'body', max_pages: 20 } }),
          say('count', `{{ len(steps.fetch.body) }} ${text('found')}`, { depends_on: ['fetch'] }),
        ],
      }
    case 'watch':
      return {
        ...base,
        triggers: [{ id: 'beat', type: 'heartbeat' as const, every: '1d', grace: '1h', on_recovery: true }],
        steps: [
          call('tell', {
            method: 'POST',
            body: { json: { text: `${text('late')} {{ inputs.late.since }}` } },
          }),
        ],
      }
    case 'later':
      return {
        ...base,
        triggers: [hook],
        steps: [
          { id: 'rest', name: text('rest'), action: 'wait', config: { duration: '1d' } },
          call('remind', { method: 'POST', body: { json: '{{ inputs.body }}' } }, { depends_on: ['rest'] }),
        ],
      }
    case 'job':
      return {
        ...base,
        timeout: '2h',
        max_concurrent: 1,
        triggers: [schedule('30 2 * * *', { overlap: 'skip', missed: 'latest', pause_after_failures: 3 })],
        steps: [
          call('begin', { method: 'POST' }, { timeout: '5m', on_unknown: 'hold' }),
          call('verify', {}, { depends_on: ['begin'], retry: { attempts: 5, initial: '30s', max: '5m' } }),
          say('done', text('finished'), { depends_on: ['verify'] }),
        ],
      }
  }
}
