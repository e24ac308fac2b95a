import { describe, expect, it } from 'vitest'
import type { LogLine } from '@/shared/api/types'
import { highlight, LogBuffer, logText } from './log-buffer'

function line(seq: number, more: Partial<LogLine> = {}): LogLine {
  return {
    seq,
    at: '2026-11-23T10:00:00.000Z',
    step: 'fetch',
    attempt: 1,
    level: 'info',
    message: `line ${seq}`,
    ...more,
  }
}
const seqs = (buffer: LogBuffer) => buffer.all().map((item) => item.seq)

describe('LogBuffer', () => {
  it('keeps order and drops doubles, whatever comes first: pages or live lines', () => {
    const buffer = new LogBuffer()
    expect(buffer.add([line(5), line(6)])).toBe(true) // live
    expect(buffer.add([line(1), line(2), line(3), line(4), line(5)])).toBe(true) // the first page
    expect(buffer.add([line(6), line(7)])).toBe(true) // live again, overlapping
    expect(buffer.add([line(7), line(2)])).toBe(false)
    expect(buffer.add([])).toBe(false)
    expect(seqs(buffer)).toEqual([1, 2, 3, 4, 5, 6, 7])
    expect(buffer.lastSeq).toBe(7)
  })

  it('takes doubles within one batch once, in and out of order', () => {
    const buffer = new LogBuffer()
    buffer.add([line(2), line(1), line(2)])
    buffer.add([line(0), line(0), line(1)])
    expect(seqs(buffer)).toEqual([0, 1, 2])
  })

  it('lets the oldest go and says how many', () => {
    const buffer = new LogBuffer(3)
    buffer.add([line(1), line(2), line(3), line(4), line(5)])
    expect(seqs(buffer)).toEqual([3, 4, 5])
    expect(buffer.forgotten).toBe(2)
  })
})

describe('highlight', () => {
  it('cuts the text at each hit and loses nothing', () => {
    expect(highlight('ab AB ab', 'ab')).toEqual([
      { text: 'ab', hit: true },
      { text: ' ', hit: false },
      { text: 'AB', hit: true },
      { text: ' ', hit: false },
      { text: 'ab', hit: true },
    ])
    for (const [text, search] of [
      ['abc', ''],
      ['abc', 'x'],
      ['aaa', 'aa'],
      ['İstanbul', 'i'],
    ] as const) {
      expect(
        highlight(text, search)
          .map((part) => part.text)
          .join(''),
      ).toBe(text)
    }
  })
})

it('logText is one line each, with level, step and attempt', () => {
  expect(logText([line(1, { level: 'warn', attempt: 2, message: 'slow' })])).toBe(
    '2026-11-23T10:00:00.000Z WARN  fetch#2 slow\n',
  )
})
