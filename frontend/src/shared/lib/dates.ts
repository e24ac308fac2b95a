// Lists of dates as people write them: one by one, as ranges, or pasted as a text.

const day = 86_400_000

/** Whether a text is a date of the calendar: 2026-02-30 is none. */
export function isDate(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false
  const at = Date.parse(`${text}T00:00:00Z`)
  return !Number.isNaN(at) && new Date(at).toISOString().slice(0, 10) === text
}

/** The dates of a text such as "2026-12-24, 2026-12-31..2027-01-02", and the parts that are none. */
export function datesOf(text: string): { dates: string[]; refused: string[] } {
  const dates: string[] = []
  const refused: string[] = []
  for (const part of text.split(/[\s,;]+/).filter(Boolean)) {
    const [from = '', to = from, ...rest] = part.split('..')
    const range = isDate(from) && isDate(to) && rest.length === 0 ? datesBetween(from, to) : []
    if (range.length > 0) dates.push(...range)
    else refused.push(part)
  }
  return { dates, refused }
}

/** Every date from one to another, both included; none when they are the wrong way round or more than 400 apart. */
export function datesBetween(from: string, to: string): string[] {
  const first = Date.parse(`${from}T00:00:00Z`)
  const days = Math.round((Date.parse(`${to}T00:00:00Z`) - first) / day)
  if (Number.isNaN(days) || days < 0 || days > 400) return []
  return Array.from({ length: days + 1 }, (_, i) => new Date(first + i * day).toISOString().slice(0, 10))
}

/** Both lists as one, in order, each date once. */
export function withDates(list: readonly string[], more: readonly string[]): string[] {
  return [...new Set([...list, ...more])].sort()
}
