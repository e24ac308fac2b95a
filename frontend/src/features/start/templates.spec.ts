import { describe, expect, it } from 'vitest'
import en from '@/shared/i18n/locales/late.en.json?raw'
import es from '@/shared/i18n/locales/late.es.json?raw'
import { templateIDs, templateOf } from './templates'

type Texts = { begin: { template: Record<string, Record<string, string>> } }

describe.each([
  ['en', en],
  ['es', es],
])('templates in %s', (_, raw) => {
  const texts = (JSON.parse(raw) as Texts).begin.template
  it.each(templateIDs)('%s has words for everything that it says', (id) => {
    const said: string[] = []
    const definition = templateOf(id, 'Europe/Madrid', (name) => {
      said.push(name)
      return texts[id]?.[name] ?? ''
    })
    for (const name of said) expect(texts[id]?.[name], `${id}.${name}`).toBeTruthy()
    expect(Object.keys(texts[id] ?? {}).sort()).toEqual([...new Set(said)].sort())
    const ids = definition.steps.map((step) => step.id)
    for (const step of definition.steps)
      for (const before of step.depends_on ?? []) expect(ids).toContain(before)
    const [trigger] = definition.triggers ?? []
    if (trigger?.type === 'schedule') expect(trigger.timezone).toBe('Europe/Madrid')
  })
})
