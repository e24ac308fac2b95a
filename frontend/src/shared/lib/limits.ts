// Limits as people type them: a number, or nothing for no limit.

/** A whole number from 1 to most; null when the text is empty, undefined when it is no such number. */
export function limitOf(text: string, most: number): number | null | undefined {
  const trimmed = text.trim()
  if (trimmed === '') return null
  if (!/^[0-9]+$/.test(trimmed)) return undefined
  const value = Number(trimmed)
  return value >= 1 && value <= most ? value : undefined
}

/** A rate or size up to most, which may have a fraction with a point or a comma. */
export function rateOf(text: string, most = 100_000): number | null | undefined {
  const trimmed = text.trim().replace(',', '.')
  if (trimmed === '') return null
  if (!/^[0-9]*\.?[0-9]+$/.test(trimmed)) return undefined
  const value = Number(trimmed)
  return value >= 0.001 && value <= most ? value : undefined
}
