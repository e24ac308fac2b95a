import { describe, expect, it } from 'vitest'
import { layeredLayout } from './graph-layout'

const node = (key: string, ...dependsOn: string[]) => ({ key, dependsOn })

describe('layeredLayout', () => {
  it('puts a step after all that it waits for', () => {
    const { nodes, layers, rows, edges } = layeredLayout([
      node('a'),
      node('b', 'a'),
      node('c', 'a', 'b'),
      node('d', 'a'),
    ])
    expect(Object.fromEntries(nodes.map(({ key, layer }) => [key, layer]))).toEqual({
      a: 0,
      b: 1,
      c: 2,
      d: 1,
    })
    expect([layers, rows, edges.length]).toEqual([3, 2, 4])
  })

  it('keeps neighbours near, so that lines do not cross without need', () => {
    const { nodes } = layeredLayout([node('a'), node('b'), node('x', 'b'), node('y', 'a')])
    const row = (key: string) => nodes.find((placed) => placed.key === key)?.row
    expect(row('y') === row('a') && row('x') === row('b')).toBe(true)
  })

  it('survives circles and what is not there', () => {
    const { nodes } = layeredLayout([node('a', 'b', 'gone'), node('b', 'a')])
    expect(nodes).toHaveLength(2)
    expect(layeredLayout([])).toEqual({ nodes: [], layers: 0, rows: 0, edges: [] })
  })

  it('places 200 steps at once', () => {
    const steps = Array.from({ length: 200 }, (_, i) =>
      node(`s${i}`, ...(i < 10 ? [] : [`s${i - 10}`, `s${Math.floor(i / 3)}`])),
    )
    const begun = performance.now()
    expect(layeredLayout(steps).nodes).toHaveLength(200)
    expect(performance.now() - begun).toBeLessThan(200)
  })
})
