// Which lines of a log are shown, on which row each begins, and where a search hits: kept up to date line by line, so that a
// log of 100,000 lines costs no more than the lines that are new or seen.
import type { LogLine } from '@/shared/api/types'
import { passes, type LogBuffer, type LogFilter } from './log-buffer'

export interface LogLayout {
  /** Letters of a message in one row; Infinity when lines are not wrapped. */
  columns: number
  /** Rows above each message, where there is no room beside it. */
  lead: number
}

/** How many rows a message takes. */
export function rowsOf(message: string, columns: number): number {
  if (!message.includes('\n'))
    return columns === Infinity ? 1 : Math.max(1, Math.ceil(message.length / columns))
  let rows = 0
  for (const part of message.split('\n'))
    rows += columns === Infinity ? 1 : Math.max(1, Math.ceil(part.length / columns))
  return rows
}

export class LogIndex {
  lines: LogLine[] = []
  /** The lines, by their place among those shown, that hold what is searched for. */
  hits: number[] = []
  /** The row on which each line begins. */
  private tops: number[] = []
  private rows = 0
  private key = ''
  private epoch = -1
  private seen = 0

  /** Brings the index up to date with the buffer. */
  sync(buffer: LogBuffer, filter: LogFilter, search: string, layout: LogLayout): void {
    const needle = search.trim().toLowerCase()
    const key = JSON.stringify([
      filter,
      needle,
      layout.columns === Infinity ? 0 : layout.columns,
      layout.lead,
    ])
    const all = buffer.all()
    if (key !== this.key || buffer.epoch !== this.epoch || this.seen > all.length) {
      this.key = key
      this.epoch = buffer.epoch
      this.lines = []
      this.hits = []
      this.tops = []
      this.rows = 0
      this.seen = 0
    }
    for (; this.seen < all.length; this.seen++) {
      const line = all[this.seen]
      if (!line || !passes(line, filter)) continue
      if (needle !== '' && line.message.toLowerCase().includes(needle)) this.hits.push(this.lines.length)
      this.tops.push(this.rows)
      this.rows += layout.lead + rowsOf(line.message, layout.columns)
      this.lines.push(line)
    }
  }

  /** All rows together. */
  get height(): number {
    return this.rows
  }

  topOf(index: number): number {
    return this.tops[index] ?? this.rows
  }

  /** The line on a row. */
  at(row: number): number {
    let low = 0
    let high = this.tops.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if ((this.tops[middle] ?? 0) <= row) low = middle
      else high = middle - 1
    }
    return Math.max(0, low)
  }

  /** The place among those shown of the line with this number; undefined when it is not shown. */
  indexOf(seq: number): number | undefined {
    let low = 0
    let high = this.lines.length - 1
    while (low <= high) {
      const middle = (low + high) >> 1
      const found = this.lines[middle]?.seq ?? 0
      if (found === seq) return middle
      if (found < seq) low = middle + 1
      else high = middle - 1
    }
    return undefined
  }

  /** The hit after, or before, a line, beginning again at the end; undefined when there is none. */
  hitFrom(line: number | undefined, direction: 1 | -1): number | undefined {
    if (this.hits.length === 0) return undefined
    if (direction === 1) return this.hits.find((hit) => hit > (line ?? -1)) ?? this.hits[0]
    return this.hits.findLast((hit) => hit < (line ?? Infinity)) ?? this.hits.at(-1)
  }
}
