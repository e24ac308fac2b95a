import { describe, expect, it } from 'vitest'
import type { WorkflowInput } from '@/shared/api/types'
import { draftOf } from './read'
import { sourceOf } from '@/shared/lib/definition-text'
import { parseSource } from '@/shared/lib/source'
import { definitionOf } from './write'

const definition: WorkflowInput = {
  name: 'Daily: "rate"',
  triggers: [{ id: 'morning', type: 'schedule', cron: '0 9 * * MON-FRI', timezone: 'Europe/Madrid' }],
  steps: [
    {
      id: 'fetch',
      action: 'http_endpoint',
      config: { method: 'GET', url: 'https://example.com/?a={{ inputs.a }}' },
    },
    {
      id: 'note',
      action: 'log_message',
      config: { message: 'line one\nline two: #no comment' },
      depends_on: ['fetch'],
    },
  ],
}

describe.each(['yaml', 'json'] as const)('%s', (format) => {
  it('and back is the same definition, through the draft too', () => {
    const parsed = parseSource(sourceOf(definition, format))
    if ('problem' in parsed) throw new Error(parsed.problem.message)
    expect(parsed.definition).toEqual(definition)
    expect(definitionOf(draftOf(parsed.definition)).input).toEqual(definition)
  })
  it('knows the line of a value', () => {
    const text = sourceOf(definition, format)
    const parsed = parseSource(text)
    if ('problem' in parsed) throw new Error(parsed.problem.message)
    const line = (pointer: string) => text.split('\n')[parsed.lineOf(pointer) - 1]
    expect(line('/steps/0/config/url')).toContain('url')
    expect(line('/triggers/0/cron')).toContain('cron')
    expect(line('/steps/1/config/nothing/here')).toContain('config')
    expect(parsed.lineOf('')).toBe(1)
  })
})

it.each([
  ['', 1, 'noObject'],
  ['- a', 1, 'noObject'],
  ['steps: []', 1, 'noName'],
  ['name: a\nsteps:\n  - id: x\n', 3, 'noStep'],
  ['name: a\nsteps:\n  - id: x\n    action: b\n    config: c', 5, 'noConfig'],
  ['name: a\nsteps: []\ntriggers: {}', 3, 'noList'],
])('%j is refused at line %i: %s', (text, line, message) => {
  expect(parseSource(text)).toEqual({ problem: { line, message } })
})

it('what is no YAML is refused with its line', () => {
  const parsed = parseSource('name: a\nsteps: [')
  expect('problem' in parsed && parsed.problem.line).toBe(2)
})

it('a bomb of aliases is refused', () => {
  const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]']
  for (let i = 1; i < 9; i++)
    lines.push(
      `a${i}: &a${i} [${Array(10)
        .fill(`*a${i - 1}`)
        .join(', ')}]`,
    )
  expect('problem' in parseSource(lines.join('\n'))).toBe(true)
})
