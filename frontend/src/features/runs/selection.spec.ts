import { describe, expect, it } from 'vitest'
import { nextTick, ref } from 'vue'
import { between, useSelection } from './selection'

describe('the selection', () => {
  it('reaches from the row before, up and down', () => {
    expect(between(['a', 'b', 'c', 'd'], 'd', 'b')).toEqual(['b', 'c', 'd'])
    expect(between(['a', 'b'], 'x', 'b')).toEqual(['b'])
    const selection = useSelection(() => ['a', 'b', 'c', 'd'])
    selection.toggle('a')
    selection.toggle('c', true)
    expect([...selection.ids.value]).toEqual(['a', 'b', 'c'])
    expect(selection.some.value).toBe(true)
    selection.toggle('b')
    expect([...selection.ids.value]).toEqual(['a', 'c'])
  })

  it('of everything is one step, and so is nothing', () => {
    const selection = useSelection(() => ['a', 'b'])
    selection.toggleAll()
    expect(selection.all.value).toBe(true)
    selection.toggleAll()
    expect(selection.ids.value.size).toBe(0)
  })

  it('lets go of rows that are not listed any more', async () => {
    const listed = ref(['a', 'b'])
    const selection = useSelection(() => listed.value)
    selection.toggleAll()
    listed.value = ['b', 'c']
    await nextTick()
    expect([...selection.ids.value]).toEqual(['b'])
  })
})
