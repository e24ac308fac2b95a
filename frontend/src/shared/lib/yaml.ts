// Values as YAML that people like to read. Reading it takes a library (source.ts); writing what JSON can hold does not.

/** A value of JSON as YAML 1.2. */
export function toYAML(value: unknown): string {
  const text = block(value, '')
  return `${text.startsWith('\n') ? text.slice(1) : text.trimStart()}\n`
}

/** What follows a key or a dash: " scalar", or lines of their own that begin with a line break. */
function block(value: unknown, indent: string): string {
  if (Array.isArray(value)) {
    if (value.length === 0) return ' []'
    return value.map((item) => `\n${indent}-${inline(block(item, `${indent}  `), indent)}`).join('')
  }
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).filter(([, inner]) => inner !== undefined)
    if (entries.length === 0) return ' {}'
    return entries
      .map(([key, inner]) => {
        const nested = typeof inner === 'object' && inner !== null ? `${indent}  ` : indent
        return `\n${indent}${plain(key) ? key : JSON.stringify(key)}:${block(inner, nested)}`
      })
      .join('')
  }
  if (typeof value === 'string') return ` ${textOf(value, indent)}`
  return ` ${JSON.stringify(value ?? null)}`
}

/** The first line of a nested block stands behind its dash. */
function inline(text: string, indent: string): string {
  const begin = `\n${indent}  `
  return text.startsWith(begin) ? ` ${text.slice(begin.length)}` : text
}

function textOf(text: string, indent: string): string {
  if (plain(text)) return text
  if (literal(text)) {
    const kept = text.endsWith('\n')
    const lines = (kept ? text.slice(0, -1) : text).split('\n')
    return `${kept ? '|' : '|-'}\n${lines.map((line) => (line === '' ? '' : `${indent}  ${line}`)).join('\n')}`
  }
  // A string of JSON is one of YAML, but for characters that YAML takes for line breaks.
  return JSON.stringify(text).replace(
    /[\u007f-\u009f\u2028\u2029\ufeff]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

/** Words and numbers that other readers of YAML, also of 1.1, take for something else than text. */
const ambiguous =
  /^(?:true|false|yes|no|on|off|y|n|null|~|[-+]?\.(?:inf|nan)|[-+]?[\d.][\d_.,]*(?:e[-+]?\d+)?|0[xob][\da-f_]+|\d+(?::\d+)+.*|\d{4}-\d{1,2}-\d{1,2}.*)$/i

/** Whether a text needs no quotes. */
function plain(text: string): boolean {
  return (
    /^[\p{L}\p{N}_/.$(][\p{L}\p{N}\p{M} _./$()+*@=,;<>?&%'"|!:#~^{}[\]-]*$/u.test(text) &&
    !/: |:$| #| $/.test(text) &&
    !ambiguous.test(text) &&
    text.length <= 200
  )
}

/** Whether a text of several lines can stand as it is. */
function literal(text: string): boolean {
  return (
    text.includes('\n') &&
    !/^[\s]|\n\n$|[^\S\n]\n|[^\S\n]$/.test(text) &&
    !/[^\n\x20-\x7e\u00a1-\u1fff\u2010-\u2027\u2030-\ud7ff]/.test(text)
  )
}
