// Numbers and instants for people, by Intl alone. Every function takes the language, so that tests need no browser.
import { displayZone } from './zone'

// Formatters are costly to make and are asked for again with every row, so each is made once.
const formatters = new Map<string, Intl.NumberFormat | Intl.DateTimeFormat | Intl.RelativeTimeFormat>()

function once<T extends Intl.NumberFormat | Intl.DateTimeFormat | Intl.RelativeTimeFormat>(
  key: string,
  make: () => T,
): T {
  const known = formatters.get(key)
  if (known) return known as T
  const made = make()
  formatters.set(key, made)
  return made
}

/** Milliseconds between two instants; undefined when one is missing. */
export function elapsed(
  from: string | null | undefined,
  to: string | number | null | undefined,
): number | undefined {
  if (!from || to === null || to === undefined) return undefined
  const end = typeof to === 'number' ? to : Date.parse(to)
  return Math.max(0, end - Date.parse(from))
}

function unit(
  value: number,
  name: 'millisecond' | 'second' | 'minute' | 'hour' | 'day',
  locale: string,
  digits = 0,
) {
  return once(
    `unit ${locale} ${name} ${digits}`,
    () =>
      new Intl.NumberFormat(locale, {
        style: 'unit',
        unit: name,
        // English writes 850ms, Spanish 850 ms.
        unitDisplay: locale.startsWith('en') ? 'narrow' : 'short',
        maximumFractionDigits: digits,
      }),
  ).format(value)
}

/** A duration with at most two units: 850ms, 4.2s, 1m 19s, 2h 5m. */
export function formatDuration(ms: number | undefined, locale: string): string {
  if (ms === undefined) return '—'
  if (ms < 1000) return unit(Math.round(ms), 'millisecond', locale)
  if (ms < 59_950) return unit(ms / 1000, 'second', locale, ms < 9_950 ? 1 : 0)
  const seconds = Math.round(ms / 1000)
  if (seconds < 3600) return pair(seconds, 60, 'minute', 1, 'second', locale)
  const minutes = Math.round(seconds / 60)
  if (minutes < 24 * 60) return pair(minutes, 60, 'hour', 1, 'minute', locale)
  return pair(Math.round(minutes / 60), 24, 'day', 1, 'hour', locale)
}

function pair(
  value: number,
  per: number,
  big: 'minute' | 'hour' | 'day',
  one: number,
  small: 'second' | 'minute' | 'hour',
  locale: string,
): string {
  const rest = value % per
  const head = unit(Math.floor(value / per), big, locale)
  return rest < one ? head : `${head} ${unit(rest, small, locale)}`
}

const steps: readonly [limit: number, size: number, unit: Intl.RelativeTimeFormatUnit][] = [
  [59_500, 1000, 'second'],
  [59.5 * 60_000, 60_000, 'minute'],
  [23.5 * 3_600_000, 3_600_000, 'hour'],
  [29.5 * 86_400_000, 86_400_000, 'day'],
  [364 * 86_400_000, 30.44 * 86_400_000, 'month'],
  [Infinity, 365.25 * 86_400_000, 'year'],
]

/** How far an instant is from now: "in 20 min", "3 hr ago", "in 2 days". Within half a second it is now. */
export function formatRelative(instant: string, now: number, locale: string): string {
  const distance = Date.parse(instant) - now
  const size = Math.abs(distance)
  if (size < 500) return new Intl.RelativeTimeFormat(locale, { numeric: 'auto' }).format(0, 'second')
  // "always": 47 hours round to two days, which need not be the day after tomorrow.
  const format = once(
    `relative ${locale}`,
    () => new Intl.RelativeTimeFormat(locale, { numeric: 'always', style: 'short' }),
  )
  for (const [limit, per, name] of steps) {
    if (size < limit) return format.format(Math.round(distance / per), name)
  }
  return instant
}

export type InstantStyle = 'time' | 'short' | 'full'

const instantStyles: Record<InstantStyle, Intl.DateTimeFormatOptions> = {
  time: { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' },
  short: {
    day: 'numeric',
    month: 'short',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
  },
  full: {
    weekday: 'short',
    day: 'numeric',
    month: 'short',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
    timeZoneName: 'short',
  },
}

/** An instant as a date and time of day; zone is an IANA name, the reader's choice when absent or unknown. */
export function formatInstant(
  instant: string,
  locale: string,
  style: InstantStyle = 'short',
  zone?: string,
): string {
  const date = new Date(instant)
  if (Number.isNaN(date.getTime())) return instant
  const own = displayZone.value
  try {
    return once(
      `instant ${locale} ${style} ${zone ?? own ?? ''}`,
      () => new Intl.DateTimeFormat(locale, { ...instantStyles[style], timeZone: zone ?? own }),
    ).format(date)
  } catch {
    return new Intl.DateTimeFormat(locale, { ...instantStyles[style], timeZone: own }).format(date)
  }
}

/** A fire of a schedule in its zone: weekday, date and time, seconds only when they matter. */
export function formatFire(instant: string, locale: string, zone: string | undefined): string {
  const date = new Date(instant)
  const options: Intl.DateTimeFormatOptions = {
    weekday: 'short',
    day: 'numeric',
    month: 'short',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  }
  if (date.getUTCSeconds() !== 0) options.second = '2-digit'
  if (date.getUTCFullYear() !== new Date().getUTCFullYear()) options.year = 'numeric'
  try {
    return new Intl.DateTimeFormat(locale, { ...options, timeZone: zone || 'UTC' }).format(date)
  } catch {
    return instant
  }
}

/** The milliseconds of a duration of the contract (1h30m, 90s, 250ms); undefined when it is none. */
export function parseDuration(text: string): number | undefined {
  const trimmed = text.trim()
  if (!/^([0-9]+(\.[0-9]+)?(ms|s|m|h|d))+$/.test(trimmed)) return undefined
  const sizes: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }
  let total = 0
  for (const [, amount, name] of trimmed.matchAll(/([0-9]+(?:\.[0-9]+)?)(ms|s|m|h|d)/g)) {
    total += Number(amount) * (sizes[name ?? ''] ?? 0)
  }
  return total
}
