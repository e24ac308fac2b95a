import { expect, it } from 'vitest'
import { changesBetween, plain } from './changes'

it('names what came, went and is different', () => {
  const before = {
    name: 'A',
    timeout: '1h',
    triggers: [{ id: 't', cron: '0 9 * * *' }],
    steps: [
      { id: 'a', name: 'Fetch', config: { x: 1, y: 2 } },
      { id: 'b', config: {} },
    ],
  }
  const after = {
    name: 'B',
    queue: 'bulk',
    triggers: [{ id: 't', cron: '0 10 * * *' }],
    steps: [
      { id: 'a', name: 'Fetch', config: { y: 2, x: 1 } },
      { id: 'c', name: 'Tell' },
    ],
  }
  expect(changesBetween(before, after)).toEqual([
    { kind: 'changed', what: 'field', name: 'name' },
    { kind: 'removed', what: 'field', name: 'timeout' },
    { kind: 'added', what: 'field', name: 'queue' },
    { kind: 'changed', what: 'trigger', name: 't' },
    { kind: 'added', what: 'step', name: 'Tell' },
    { kind: 'removed', what: 'step', name: 'b' },
  ])
  expect(changesBetween(before, before)).toEqual([])
  expect(changesBetween({}, {})).toEqual([])
})

it('sees no change in what may be said or not', () => {
  const said = {
    name: 'x',
    description: '',
    enabled: true,
    triggers: [{ id: 't', enabled: true }],
    steps: [],
  }
  const unsaid = { name: 'x', triggers: [{ id: 't' }], steps: [] }
  expect(changesBetween(plain(said, true), plain(unsaid, true))).toEqual([])
  expect(changesBetween(plain(said, true), plain({ ...unsaid, enabled: false }, true))).toEqual([
    { kind: 'changed', what: 'field', name: 'enabled' },
  ])
  const off = { ...unsaid, triggers: [{ id: 't', enabled: false }] }
  expect(changesBetween(plain(said, true), plain(off, true))).toEqual([
    { kind: 'changed', what: 'trigger', name: 't' },
  ])
})
