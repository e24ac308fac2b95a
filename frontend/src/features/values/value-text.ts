// A variable's value as a person writes it, and how templates name values.
import type { ValueKind } from './api'

/** How a value is written: as plain text, or as JSON. */
export type ValueForm = 'text' | 'json'

export const namePattern = /^[A-Za-z_][A-Za-z0-9_]*$/

/** What a template writes to use a value: {{ secrets.token }}. */
export function templateOf(kind: ValueKind, name: string): string {
  return `{{ ${kind === 'secrets' ? 'secrets' : 'vars'}.${name} }}`
}

/** The text of a stored value in a field: text as it is, everything else as JSON. */
export function toText(value: unknown): { form: ValueForm; text: string } {
  if (typeof value === 'string') return { form: 'text', text: value }
  return { form: 'json', text: JSON.stringify(value ?? null, undefined, 2) }
}

/** The value that a text stands for; undefined when it should be JSON and is not. */
export function fromText(form: ValueForm, text: string): { value: unknown } | undefined {
  if (form === 'text') return { value: text }
  try {
    return { value: JSON.parse(text) as unknown }
  } catch {
    return undefined
  }
}

/** One line that shows what a value is. */
export function shortText(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value ?? null)
  return text.length > 120 ? `${text.slice(0, 119)}…` : text
}
