// The log lines of one run, in order and each once, whatever order pages and live events come in.
import type { LogLine } from '@/shared/api/types'

export const logLevels = ['debug', 'info', 'warn', 'error'] as const
export type LogLevel = (typeof logLevels)[number]

export interface LogFilter {
  step?: string
  /** With a step: only this attempt. */
  attempt?: number
  /** The least level shown. */
  level?: LogLevel
}

/** Whether a line is shown. */
export function passes(line: LogLine, filter: LogFilter): boolean {
  return (
    (!filter.step || line.step === filter.step) &&
    (filter.attempt === undefined || line.attempt === filter.attempt) &&
    (!filter.level || logLevels.indexOf(line.level) >= logLevels.indexOf(filter.level))
  )
}

/** Keeps the last `capacity` lines, or a few more: they are let go by the thousand. */
export class LogBuffer {
  readonly capacity: number
  /** Counts the changes that were more than lines added at the end. */
  epoch = 0
  private lines: LogLine[] = []
  private dropped = 0

  constructor(capacity = 120_000) {
    this.capacity = capacity
  }

  /** Adds lines, those already held excepted; tells whether anything changed. */
  add(incoming: readonly LogLine[]): boolean {
    const fresh: LogLine[] = []
    const older: LogLine[] = []
    let last = this.lastSeq
    for (const line of [...incoming].sort((a, b) => a.seq - b.seq)) {
      if (line.seq > last || (this.lines.length === 0 && fresh.length === 0)) {
        fresh.push(line)
        last = line.seq
      } else if (this.lines.length > 0 && line.seq !== fresh.at(-1)?.seq && !this.holds(line.seq)) {
        if (older.at(-1)?.seq !== line.seq) older.push(line)
      }
    }
    if (fresh.length + older.length === 0) return false
    for (const line of fresh) this.lines.push(line)
    if (older.length > 0) {
      this.lines = [...this.lines, ...older].sort((a, b) => a.seq - b.seq)
      this.epoch++
    }
    const surplus = this.lines.length - this.capacity
    if (surplus > Math.min(5000, this.capacity / 25)) {
      this.lines = this.lines.slice(surplus)
      this.dropped += surplus
      this.epoch++
    }
    return true
  }

  private holds(seq: number): boolean {
    return this.indexOf(seq) !== undefined
  }

  /** Where the line with this number stands among all; undefined when it is not held. */
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

  /** How many lines were let go to make room. */
  get forgotten(): number {
    return this.dropped
  }

  get lastSeq(): number {
    return this.lines.at(-1)?.seq ?? 0
  }

  all(): readonly LogLine[] {
    return this.lines
  }
}

/** The text cut at each place where search stands, for highlighting. */
export function highlight(text: string, search: string): { text: string; hit: boolean }[] {
  const needle = search.trim().toLowerCase()
  if (needle === '') return [{ text, hit: false }]
  const lower = text.toLowerCase()
  if (lower.length !== text.length) return [{ text, hit: false }] // a letter that changes length with its case
  const parts: { text: string; hit: boolean }[] = []
  let at = 0
  for (let found = lower.indexOf(needle); found >= 0; found = lower.indexOf(needle, at)) {
    if (found > at) parts.push({ text: text.slice(at, found), hit: false })
    parts.push({ text: text.slice(found, found + needle.length), hit: true })
    at = found + needle.length
  }
  if (at < text.length) parts.push({ text: text.slice(at), hit: false })
  return parts
}

/** The lines as a text file. */
export function logText(lines: readonly LogLine[]): string {
  return lines
    .map(
      (line) =>
        `${line.at} ${line.level.toUpperCase().padEnd(5)} ${line.step}#${line.attempt} ${line.message}\n`,
    )
    .join('')
}
