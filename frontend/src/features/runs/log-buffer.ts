// The log lines of one run, in order and each once, whatever order pages and live events come in.
import type { LogLine } from '@/shared/api/types'

export const logLevels = ['debug', 'info', 'warn', 'error'] as const
export type LogLevel = (typeof logLevels)[number]

export interface LogFilter {
  step?: string
  /** The least level shown. */
  level?: LogLevel
  /** Part of the message, in any case. */
  search?: string
}

/** Keeps the last `capacity` lines. */
export class LogBuffer {
  readonly capacity: number
  private lines: LogLine[] = []
  private dropped = 0

  constructor(capacity = 20_000) {
    this.capacity = capacity
  }

  /** Adds lines, those already held excepted; tells whether anything changed. */
  add(incoming: readonly LogLine[]): boolean {
    if (incoming.length === 0) return false
    const last = this.lines.at(-1)?.seq ?? -1
    const sorted = [...incoming].sort((a, b) => a.seq - b.seq)
    const first = sorted[0]
    if (first && first.seq > last) {
      const before = this.lines.length
      for (const line of sorted) if (line.seq > (this.lines.at(-1)?.seq ?? -1)) this.lines.push(line)
      if (this.lines.length === before) return false
    } else {
      const held = new Set(this.lines.map((line) => line.seq))
      const unknown = sorted.filter((line) => !held.has(line.seq))
      if (unknown.length === 0) return false
      const bySeq = new Map([...this.lines, ...unknown].map((line) => [line.seq, line]))
      this.lines = [...bySeq.values()].sort((a, b) => a.seq - b.seq)
    }
    const surplus = this.lines.length - this.capacity
    if (surplus > 0) {
      this.lines = this.lines.slice(surplus)
      this.dropped += surplus
    }
    return true
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

  filtered(filter: LogFilter): readonly LogLine[] {
    const least = filter.level ? logLevels.indexOf(filter.level) : 0
    const needle = filter.search?.trim().toLowerCase() ?? ''
    if (!filter.step && least === 0 && needle === '') return this.lines
    return this.lines.filter(
      (line) =>
        (!filter.step || line.step === filter.step) &&
        logLevels.indexOf(line.level) >= least &&
        (needle === '' || line.message.toLowerCase().includes(needle)),
    )
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
