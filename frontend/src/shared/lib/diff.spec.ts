import { describe, expect, it } from 'vitest'
import { diffLines } from './diff'

const brief = (before: string, after: string, context?: number) =>
  diffLines(before, after, context).map((line) =>
    line.kind === 'skip' ? `…${line.count}` : `${{ same: ' ', gone: '-', new: '+' }[line.kind]}${line.text}`,
  )

describe('diffLines', () => {
  it('marks what changed, with what is around it', () => {
    expect(brief('a\nb\nc\nd\ne\nf\ng', 'a\nb\nc\nx\ne\nf\ng', 1)).toEqual([
      '…2',
      ' c',
      '-d',
      '+x',
      ' e',
      '…2',
    ])
  })
  it('finds lines that moved apart', () => {
    expect(brief('a\nb\nc', 'a\nx\nb\ny\nc')).toEqual([' a', '+x', ' b', '+y', ' c'])
    expect(brief('a\nx\nb', 'a\nb')).toEqual([' a', '-x', ' b'])
  })
  it('has nothing to say about the same text', () => {
    expect(brief('a\nb', 'a\nb')).toEqual(['…2'])
    expect(brief('', '')).toEqual(['…1'])
  })
  it('is quick for long texts, also for those that have nothing in common', () => {
    const long = (word: string) => Array.from({ length: 4000 }, (_, i) => `${word} ${i}`).join('\n')
    const begun = performance.now()
    expect(diffLines(long('a'), long('b'))).toHaveLength(8000)
    expect(performance.now() - begun).toBeLessThan(1000)
  })
})
