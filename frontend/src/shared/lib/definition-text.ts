// Definitions as text.
import { ordered } from '@/shared/api/definition'
import { toYAML } from './yaml'

export type SourceFormat = 'yaml' | 'json'

/** A definition as text. */
export function sourceOf(definition: object, format: SourceFormat): string {
  const readable = ordered(definition)
  return format === 'json' ? `${JSON.stringify(readable, null, 2)}\n` : toYAML(readable)
}

/** Several definitions as one file: documents of YAML, or a list of JSON. */
export function fileOf(definitions: readonly object[], format: SourceFormat): string {
  const [only] = definitions
  if (definitions.length === 1 && only) return sourceOf(only, format)
  if (format === 'json') return `${JSON.stringify(definitions.map(ordered), null, 2)}\n`
  return definitions.map((definition) => sourceOf(definition, 'yaml')).join('---\n')
}
