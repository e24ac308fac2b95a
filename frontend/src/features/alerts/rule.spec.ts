import { describe, expect, it } from 'vitest'
import type { Rule } from '@/shared/api/types'
import { isUnderway } from './api'
import { missingIn, newRule, readRule, toggled, writeRule } from './rule'

const rule: Rule = {
  id: '1',
  project_id: '2',
  name: 'Nights',
  enabled: false,
  workflows: ['w'],
  on: ['failure', 'late_finish', 'recovery'],
  after_failures: 3,
  finish_within: '1h30m',
  channels: ['c'],
  repeat: '0s',
  language: 'es',
  timezone: 'Europe/Madrid',
  quiet: { days: ['sat', 'sun'], from: '22:00', to: '07:00', drop: true },
  created_at: '2026-11-25T10:00:00.000Z',
  updated_at: '2026-11-25T10:00:00.000Z',
}

describe('a rule', () => {
  it('is written as it was read', () => {
    const { id, project_id, created_at, updated_at, ...input } = rule
    expect(writeRule(readRule(rule))).toEqual(input)
    expect(writeRule(readRule({ ...rule, workflows: [], quiet: null }))).toEqual({
      ...input,
      workflows: [],
      quiet: null,
    })
  })

  it('says nothing of what it is not about', () => {
    const draft = { ...newRule('x', 'en', 'UTC'), channels: ['c'], workflows: ['w'], days: ['mon' as const] }
    expect(writeRule(draft)).toEqual({
      name: 'x',
      enabled: true,
      on: ['failure', 'missed', 'held', 'heartbeat', 'recovery'],
      after_failures: 1,
      workflows: [],
      channels: ['c'],
      repeat: '1d',
      language: 'en',
      timezone: 'UTC',
      quiet: null,
    })
  })

  it('tells what is missing', () => {
    const empty = { ...newRule(' ', 'en', 'UTC'), on: [], all: false, quiet: true, days: [] }
    expect(missingIn(empty).map(({ pointer }) => pointer)).toEqual([
      '/name',
      '/on',
      '/channels',
      '/workflows',
      '/quiet/days',
    ])
    expect(missingIn({ ...newRule('x', 'en', 'UTC'), channels: ['c'] })).toEqual([])
  })
})

it('puts something into a list once', () => {
  expect(toggled(['a', 'b'], 'a', true)).toEqual(['b', 'a'])
  expect(toggled(['a', 'b'], 'a', false)).toEqual(['b'])
})

it('knows when a message is on its way', () => {
  const delivery = { channel_id: 'c', channel_name: 'c', attempts: 1, due_at: null, sent_at: null, tries: [] }
  expect(isUnderway({ deliveries: [{ ...delivery, state: 'sent' }] })).toBe(false)
  expect(
    isUnderway({
      deliveries: [
        { ...delivery, state: 'sent' },
        { ...delivery, state: 'waiting' },
      ],
    }),
  ).toBe(true)
})
