import { describe, expect, it } from 'vitest'
import type { LogLine } from '@/shared/api/types'
import { LogBuffer } from './log-buffer'
import { LogIndex, rowsOf } from './log-index'

function line(seq: number, message = `line ${seq}`, more: Partial<LogLine> = {}): LogLine {
  return { seq, at: '2026-11-23T10:00:00.000Z', step: 'fetch', attempt: 1, level: 'info', message, ...more }
}
const flat = { columns: Infinity, lead: 0 }

describe('the index of a log', () => {
  it('knows how many rows a message takes', () => {
    expect(rowsOf('', 10)).toBe(1)
    expect(rowsOf('0123456789', 10)).toBe(1)
    expect(rowsOf('0123456789a', 10)).toBe(2)
    expect(rowsOf('a\n\n0123456789ab', 10)).toBe(4)
    expect(rowsOf('a very long line', Infinity)).toBe(1)
    expect(rowsOf('two\nrows', Infinity)).toBe(2)
  })

  it('finds the line on each row, and the row of each line', () => {
    const buffer = new LogBuffer()
    buffer.add([line(1, 'short'), line(2, 'x'.repeat(25)), line(3, 'short')])
    const index = new LogIndex()
    index.sync(buffer, {}, '', { columns: 10, lead: 1 })
    expect([0, 1, 2].map((i) => index.topOf(i))).toEqual([0, 2, 6])
    expect(index.height).toBe(8)
    expect([0, 1, 2, 5, 6, 99].map((row) => index.at(row))).toEqual([0, 0, 1, 1, 2, 2])
  })

  it('filters by step, attempt and level', () => {
    const buffer = new LogBuffer()
    buffer.add([
      line(1, 'a', { level: 'debug' }),
      line(2, 'b', { step: 'note' }),
      line(3, 'c', { level: 'error', attempt: 2 }),
    ])
    const shown = (filter: Parameters<LogIndex['sync']>[1]) => {
      const index = new LogIndex()
      index.sync(buffer, filter, '', flat)
      return index.lines.map((item) => item.seq)
    }
    expect(shown({})).toEqual([1, 2, 3])
    expect(shown({ step: 'fetch' })).toEqual([1, 3])
    expect(shown({ step: 'fetch', attempt: 2 })).toEqual([3])
    expect(shown({ level: 'info' })).toEqual([2, 3])
  })

  it('goes from hit to hit, round and round, and finds new ones as they come', () => {
    const buffer = new LogBuffer()
    buffer.add([line(1, 'Error one'), line(2), line(3, 'an ERROR')])
    const index = new LogIndex()
    index.sync(buffer, {}, ' error ', flat)
    expect(index.hits).toEqual([0, 2])
    expect(index.hitFrom(undefined, 1)).toBe(0)
    expect(index.hitFrom(0, 1)).toBe(2)
    expect(index.hitFrom(2, 1)).toBe(0)
    expect(index.hitFrom(0, -1)).toBe(2)
    expect(index.hitFrom(undefined, -1)).toBe(2)
    buffer.add([line(4, 'error again')])
    index.sync(buffer, {}, ' error ', flat)
    expect(index.hits).toEqual([0, 2, 3])
    index.sync(buffer, {}, 'nothing', flat)
    expect(index.hitFrom(1, 1)).toBeUndefined()
  })

  it('starts anew when lines come in between or are let go', () => {
    const buffer = new LogBuffer(4)
    buffer.add([line(2), line(3)])
    const index = new LogIndex()
    index.sync(buffer, {}, '', flat)
    buffer.add([line(1)])
    index.sync(buffer, {}, '', flat)
    expect(index.lines.map((item) => item.seq)).toEqual([1, 2, 3])
    buffer.add([line(4), line(5), line(6)])
    index.sync(buffer, {}, '', flat)
    expect(index.lines.map((item) => item.seq)).toEqual([3, 4, 5, 6])
    expect(index.indexOf(5)).toBe(2)
    expect(index.indexOf(1)).toBeUndefined()
  })

  it('takes 100,000 lines in a moment', () => {
    const buffer = new LogBuffer()
    buffer.add(Array.from({ length: 100_000 }, (_, i) => line(i + 1, `line ${i} of a log that is long`)))
    const index = new LogIndex()
    const began = performance.now()
    index.sync(buffer, {}, 'line 99', { columns: 20, lead: 0 })
    expect(performance.now() - began).toBeLessThan(1000)
    expect(index.height).toBe(200_000)
    expect(index.hits.length).toBe(1111)
  })
})
