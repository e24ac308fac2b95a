// What a template may name at a place: inputs, the outputs of the steps before it, secrets and variables.
import { inject, provide, type InjectionKey } from 'vue'
import type { Schema } from './schema'

export interface Suggestion {
  /** As it is written: steps.fetch.status. */
  text: string
  /** What it is, for people. */
  about?: string
}

export interface Completion {
  /** The part of the text that a choice replaces. */
  from: number
  to: number
  options: readonly Suggestion[]
}

const most = 8

/**
 * What can be completed at a place of a text: inside {{ … }}, or anywhere when the text is an expression. Undefined where
 * nothing can be named: within a string, after a number, in plain text.
 */
export function completionAt(
  text: string,
  at: number,
  known: readonly Suggestion[],
  expression = false,
): Completion | undefined {
  const before = text.slice(0, at)
  const opened = before.lastIndexOf('{{')
  if (!expression && (opened < 0 || before.indexOf('}}', opened) >= 0)) return undefined
  const code = expression ? before : before.slice(opened + 2)
  if ((code.match(/"/g) ?? []).length % 2 === 1 || (code.match(/'/g) ?? []).length % 2 === 1) return undefined
  const word = /[A-Za-z_][\w.]*$/.exec(code)?.[0] ?? ''
  if (word === '' && /[\w\])]\s*$/.test(code)) return undefined
  const from = at - word.length
  const rest = /^[\w.]*/.exec(text.slice(at))?.[0] ?? ''
  const lower = word.toLowerCase()
  const options = known
    .filter(({ text: name }) => name.toLowerCase().includes(lower) && name !== word)
    .sort(
      (a, b) =>
        Number(b.text.toLowerCase().startsWith(lower)) - Number(a.text.toLowerCase().startsWith(lower)),
    )
    .slice(0, most)
  return options.length > 0 ? { from, to: at + rest.length, options } : undefined
}

/** The names that an output's schema leads to, two levels deep. */
export function namesOf(prefix: string, schema: Schema, depth = 2): Suggestion[] {
  const own: Suggestion = { text: prefix, about: schema.title }
  if (depth === 0) return [own]
  const inner = Object.entries(schema.properties ?? {}).flatMap(([name, property]) =>
    namesOf(`${prefix}.${name}`, property, depth - 1),
  )
  return [own, ...inner]
}

const suggestionsKey: InjectionKey<() => readonly Suggestion[]> = Symbol('suggestions')

export function provideSuggestions(list: () => readonly Suggestion[]): void {
  provide(suggestionsKey, list)
}

export function useSuggestions(): () => readonly Suggestion[] {
  return inject(suggestionsKey, () => [])
}
