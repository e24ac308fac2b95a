// Sizes for people, by Intl.
const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte'] as const

/** A number of bytes in the unit that fits it, as in 12.3 MB; a thousand of one are one of the next. */
export function formatBytes(bytes: number, locale: string): string {
  let step = 0
  // What would be rounded up to a thousand is one of the next.
  while (step < units.length - 1 && bytes / 1000 ** step >= 999.5) step++
  const size = bytes / 1000 ** step
  return new Intl.NumberFormat(locale, {
    style: 'unit',
    unit: units[step],
    unitDisplay: 'short',
    maximumFractionDigits: step > 0 && size < 100 ? 1 : 0,
  }).format(size)
}
