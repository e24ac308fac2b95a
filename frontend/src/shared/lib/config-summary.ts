// What a step's configuration says in a few characters, for actions without a summary of their own.
const telling = [
  'workflow',
  'subject',
  'title',
  'message',
  'text',
  'duration',
  'until',
  'url',
  'value',
] as const

export function configSummary(config: Readonly<Record<string, unknown>>): string {
  for (const name of telling) {
    const value = config[name]
    if (typeof value === 'string' && value !== '') return value
    if (name === 'value' && value !== undefined) return JSON.stringify(value)
  }
  return ''
}
