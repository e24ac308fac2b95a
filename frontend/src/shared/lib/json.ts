/** The object that a text of JSON holds; an empty text is an empty object; undefined for anything else. */
export function parseObject(text: string): Record<string, unknown> | undefined {
  if (text.trim() === '') return {}
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return value as Record<string, unknown>
  } catch {
    // Not JSON: the caller says so to the person.
  }
  return undefined
}
