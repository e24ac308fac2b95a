import { describe, expect, it } from 'vitest'
import { ancestors, followers, without, type Node } from './graph'

//   a → b → d
//   a → c → d     e stands alone
const diamond: Node[] = [
  { key: 'a', dependsOn: [] },
  { key: 'b', dependsOn: ['a'] },
  { key: 'c', dependsOn: ['a'] },
  { key: 'd', dependsOn: ['b', 'c'] },
  { key: 'e', dependsOn: [] },
]

describe('ancestors', () => {
  it('follows every way back', () => {
    expect(ancestors(diamond, 'd')).toEqual(new Set(['a', 'b', 'c']))
    expect(ancestors(diamond, 'a')).toEqual(new Set())
  })
  it('ends in a graph that is a circle already', () => {
    const circle = [
      { key: 'x', dependsOn: ['y'] },
      { key: 'y', dependsOn: ['x'] },
    ]
    expect(ancestors(circle, 'x')).toEqual(new Set(['x', 'y']))
  })
})

describe('followers', () => {
  it.each([
    ['a', ['b', 'c', 'd']],
    ['b', ['d']],
    ['d', []],
    ['e', []],
  ])('after %s come %j', (key, after) => {
    expect(followers(diamond, key)).toEqual(new Set(after))
  })

  it('are those alone that would close a circle, whatever is let wait for what', () => {
    const keys = ['a', 'b', 'c', 'd', 'e', 'f']
    for (let seed = 1; seed <= 50; seed++) {
      const nodes: { key: string; dependsOn: string[] }[] = keys.map((key) => ({ key, dependsOn: [] }))
      let state = seed
      const pick = () => {
        state = (state * 1103515245 + 12345) % 2147483648
        return nodes[state % nodes.length]!
      }
      for (let i = 0; i < 60; i++) {
        const node = pick()
        const other = pick()
        if (node !== other && !followers(nodes, node.key).has(other.key)) node.dependsOn.push(other.key)
      }
      for (const { key } of nodes) expect(ancestors(nodes, key).has(key)).toBe(false)
    }
  })
})

describe('without', () => {
  it('hands the dependencies of a removed step on to those that waited for it', () => {
    expect(without(diamond, 'b').find((node) => node.key === 'd')?.dependsOn).toEqual(['c', 'a'])
    expect(without(diamond, 'a').find((node) => node.key === 'b')?.dependsOn).toEqual([])
  })
})
