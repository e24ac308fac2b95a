// @vitest-environment happy-dom
import { beforeEach, expect, it } from 'vitest'
import { sameQuery, useSavedViews } from './saved-views'

beforeEach(() => localStorage.clear())

it('keeps views under their names', () => {
  const { views, save, remove } = useSavedViews('test')
  save('Paused', { state: 'off' })
  save('All', {})
  save('Paused', { state: 'off', q: 'a' })
  expect(views.value).toEqual([
    { name: 'All', query: {} },
    { name: 'Paused', query: { state: 'off', q: 'a' } },
  ])
  expect(useSavedViews('test').views.value).toEqual(views.value)
  expect(useSavedViews('other').views.value).toEqual([])
  remove('All')
  expect(views.value.map(({ name }) => name)).toEqual(['Paused'])
})

it('survives what others wrote', () => {
  localStorage.setItem('orq.views.test', '[{"name": 1}, null, {"name": "a", "query": {"q": "x"}}]')
  expect(useSavedViews('test').views.value).toEqual([{ name: 'a', query: { q: 'x' } }])
  localStorage.setItem('orq.views.test', '{')
  expect(useSavedViews('test').views.value).toEqual([])
})

it('compares queries', () => {
  expect(sameQuery({ a: '1', b: '2' }, { b: '2', a: '1' })).toBe(true)
  expect(sameQuery({ a: '1' }, {})).toBe(false)
})
