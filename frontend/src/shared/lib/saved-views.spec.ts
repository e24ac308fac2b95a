import { beforeEach, describe, expect, it } from 'vitest'
import { sameQuery, useSavedViews, viewQuery } from './saved-views'

describe('saved views', () => {
  beforeEach(() => localStorage.clear())

  it('are kept for one person and page, in the order of their names', () => {
    const mine = useSavedViews('runs', 'ana')
    mine.save('Slow', { min: '1000' })
    mine.save('Failed', { status: 'failed' })
    mine.save('Slow', { min: '5000' })
    expect(useSavedViews('runs', 'ana').views.value).toEqual([
      { name: 'Failed', query: { status: 'failed' } },
      { name: 'Slow', query: { min: '5000' } },
    ])
    expect(useSavedViews('runs', 'ben').views.value).toEqual([])
    expect(useSavedViews('workflows', 'ana').views.value).toEqual([])
    mine.remove('Slow')
    expect(mine.views.value.map((view) => view.name)).toEqual(['Failed'])
  })

  it('survive whatever else is in the storage', () => {
    for (const text of ['{', '7', '[{"name":1},{"name":"x"},null]']) {
      localStorage.setItem('orq.views.runs.ana', text)
      expect(useSavedViews('runs', 'ana').views.value).toEqual([])
    }
  })

  it('are told apart by what they filter', () => {
    expect(viewQuery({ status: 'failed', page: ['a'], trigger: '', from: 'x' })).toEqual({
      from: 'x',
      status: 'failed',
    })
    expect(sameQuery({ a: '1', b: '2' }, { b: '2', a: '1' })).toBe(true)
    expect(sameQuery({ a: '1' }, { a: '2' })).toBe(false)
  })
})
