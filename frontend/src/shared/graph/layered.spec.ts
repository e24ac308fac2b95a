import { describe, expect, it } from 'vitest'
import { layered } from './layered'

const at = (layout: ReturnType<typeof layered>) =>
  Object.fromEntries(layout.nodes.map((node) => [node.id, [node.layer, node.row]]))

describe('the layered drawing', () => {
  it('puts a step behind the last one that it waits for', () => {
    const layout = layered([
      { id: 'a', after: [] },
      { id: 'b', after: ['a'] },
      { id: 'c', after: ['a', 'b'] },
    ])
    expect(at(layout)).toEqual({ a: [0, 0], b: [1, 0], c: [2, 0] })
    expect(layout).toMatchObject({ layers: 3, rows: 1 })
    expect(layout.edges).toHaveLength(3)
  })

  it('stands steps beside those that they wait for, so that lines do not cross', () => {
    const layout = layered([
      { id: 'a', after: [] },
      { id: 'b', after: [] },
      { id: 'of b', after: ['b'] },
      { id: 'of a', after: ['a'] },
    ])
    expect(at(layout)['of a']).toEqual([1, 0])
    expect(at(layout)['of b']).toEqual([1, 1])
  })

  it('centres a layer that has few', () => {
    const layout = layered([{ id: 'a', after: [] }, ...['b', 'c', 'd'].map((id) => ({ id, after: ['a'] }))])
    expect(at(layout).a).toEqual([0, 1])
    expect(layout.rows).toBe(3)
  })

  it('ignores what is not there and survives a circle', () => {
    expect(layered([{ id: 'a', after: ['gone', 'a'] }]).edges).toEqual([])
    const layout = layered([
      { id: 'a', after: ['b'] },
      { id: 'b', after: ['a'] },
    ])
    expect(layout.nodes).toHaveLength(2)
    expect(layered([])).toMatchObject({ nodes: [], layers: 0, rows: 1 })
  })

  it('is quick with 200 steps', () => {
    const nodes = Array.from({ length: 200 }, (_, i) => ({
      id: `s${i}`,
      after: [i - 1, i - 7, i - 20].filter((j) => j >= 0 && i % 5 !== 0).map((j) => `s${j}`),
    }))
    const began = performance.now()
    expect(layered(nodes).nodes).toHaveLength(200)
    expect(performance.now() - began).toBeLessThan(200)
  })
})
