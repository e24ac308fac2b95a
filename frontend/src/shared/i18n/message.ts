// Texts with values and plural forms, in the notation of vue-i18n, of which this is the part that we use:
//   "Hello {name}"            a value
//   "name{'@'}example.com"    a literal: what would mean something else
//   "one file | {n} files"    forms: with two, the first is for one; with three, the first is for none
// The whole library is 27 kB of every first visit.

export type Values = Readonly<Record<string, unknown>>

type Part = string | { value: string }
type Form = readonly Part[]

const parsed = new Map<string, readonly Form[]>()
const piece = /\{\s*(?:'([^']*)'|([\w.-]+))\s*\}|(\s*\|\s*)|([^{|]+|[{|])/g

/** The forms of a text, each as literal parts and values. */
function formsOf(text: string): readonly Form[] {
  const known = parsed.get(text)
  if (known) return known
  const forms: Part[][] = [[]]
  for (const [, literal, value, bar, plain] of text.matchAll(piece)) {
    if (bar !== undefined) {
      const last = forms.at(-1)
      const end = last?.at(-1)
      if (last && typeof end === 'string') last[last.length - 1] = end.trimEnd()
      forms.push([])
    } else forms.at(-1)?.push(value !== undefined ? { value } : (literal ?? plain ?? ''))
  }
  parsed.set(text, forms)
  return forms
}

/** Which of n forms is for a count. */
function formFor(count: number, forms: number): number {
  const size = Math.abs(count)
  if (forms === 2) return size === 1 ? 0 : 1
  return Math.min(Math.floor(size), forms - 1)
}

/** The text with its values; count chooses the form, else a value n or count that is a number, else it is one. */
export function say(text: string, values: Values = {}, count?: number): string {
  const forms = formsOf(text)
  const named = [count, values.count, values.n].find((value) => typeof value === 'number')
  const form = forms.length === 1 ? forms[0] : forms[formFor(named ?? 1, forms.length)]
  const all: Values = count === undefined ? values : { n: count, count, ...values }
  return (form ?? [])
    .map((part) => (typeof part === 'string' ? part : String(all[part.value] ?? '')))
    .join('')
}
