// Numbers for people, by Intl.

export function formatNumber(value: number, locale: string): string {
  return new Intl.NumberFormat(locale, { maximumFractionDigits: 0 }).format(value)
}

/** A part of one, as in 98.4 %; what is not quite everything never rounds up to 100 %. */
export function formatShare(part: number, whole: number, locale: string): string {
  if (whole === 0) return '—'
  const share = part === whole ? 1 : Math.min(part / whole, 0.999)
  return new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits: share < 1 ? 1 : 0 }).format(
    share,
  )
}

/** A number for the axis of a chart, where there is little room: 300K. */
export function formatTick(value: number, locale: string): string {
  if (value < 10_000) return formatNumber(value, locale)
  return new Intl.NumberFormat(locale, { notation: 'compact', maximumFractionDigits: 1 }).format(value)
}
