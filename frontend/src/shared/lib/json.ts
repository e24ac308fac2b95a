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

/** Where a text stops being JSON, counted from one; undefined when it is JSON. Browsers do not all say. */
export function jsonProblem(text: string): { line: number; column: number } | undefined {
  try {
    JSON.parse(text)
    return undefined
  } catch {
    const before = text.slice(0, firstWrong(text)).split('\n')
    return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 }
  }
}

const token =
  /[ \t\n\r]*(?:(?<scalar>"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false|null)|(?<mark>[{}[\],:]))/y

/** The place of the first thing that may not stand where it stands. */
function firstWrong(text: string): number {
  const open: ('{' | '[')[] = []
  // What may come: a value, a key, "," or the end of what is open, ":".
  let wants: 'value' | 'value or ]' | 'key' | 'key or }' | 'next' | ':' = 'value'
  let at = 0
  for (;;) {
    token.lastIndex = at
    const found = token.exec(text)
    const place = at + (/^[ \t\n\r]*/.exec(text.slice(at))?.[0].length ?? 0)
    if (!found?.groups) return place
    const { scalar, mark } = found.groups
    const value = wants === 'value' || wants === 'value or ]'
    if (scalar !== undefined) {
      if (value) wants = 'next'
      else if ((wants === 'key' || wants === 'key or }') && scalar.startsWith('"')) wants = ':'
      else return place
    } else if (mark === ':' && wants === ':') wants = 'value'
    else if (mark === ',' && wants === 'next' && open.length > 0)
      wants = open.at(-1) === '{' ? 'key' : 'value'
    else if ((mark === '{' || mark === '[') && value) {
      open.push(mark)
      wants = mark === '{' ? 'key or }' : 'value or ]'
    } else if (mark === '}' && open.at(-1) === '{' && (wants === 'next' || wants === 'key or }')) {
      open.pop()
      wants = 'next'
    } else if (mark === ']' && open.at(-1) === '[' && (wants === 'next' || wants === 'value or ]')) {
      open.pop()
      wants = 'next'
    } else return place
    at = token.lastIndex
  }
}
