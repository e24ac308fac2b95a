import { describe, expect, it } from 'vitest'
import en from './locales/en.json?raw'
import es from './locales/es.json?raw'
import lateEn from './locales/late.en.json?raw'
import lateEs from './locales/late.es.json?raw'
import auditEn from './locales/audit.en.json?raw'
import auditEs from './locales/audit.es.json?raw'

type Tree = { [key: string]: string | Tree }
function flatten(tree: Tree, prefix = ''): Map<string, string> {
  const flat = new Map<string, string>()
  for (const [key, value] of Object.entries(tree)) {
    if (typeof value === 'string') flat.set(prefix + key, value)
    else for (const [inner, text] of flatten(value, `${prefix}${key}.`)) flat.set(inner, text)
  }
  return flat
}
const all = (...parts: string[]) => new Map(parts.flatMap((part) => [...flatten(JSON.parse(part) as Tree)]))
const english = all(en, lateEn, auditEn)
const spanish = all(es, lateEs, auditEs)
const sources = Object.entries(
  import.meta.glob(['../../**/*.vue', '../../**/*.ts', '!../../**/*.spec.ts'], {
    query: '?raw',
    import: 'default',
    eager: true,
  }) as Record<string, string>,
)

describe('the languages', () => {
  it('have the same keys', () => {
    expect([...spanish.keys()].sort()).toEqual([...english.keys()].sort())
  })

  it('have the same values and plural forms in each message', () => {
    const shape = (text: string) => ({
      names: [...new Set([...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1]))].sort(),
      forms: text.split('|').length,
    })
    for (const [key, text] of english) {
      expect({ key, ...shape(spanish.get(key) ?? '') }).toEqual({ key, ...shape(text) })
    }
  })

  it('leave nothing empty and nothing untranslated by accident', () => {
    // Words that are the same in both.
    const same =
      /^(account|common|http\.(json|url|bodyKind)|field\.(json|url)|logs\.level_|runTrigger\.manual|step\.error|workers\.title$|role\.editor|begin\.crontab$|config\.no$)/
    for (const [key, text] of english) {
      expect(text.trim(), key).not.toBe('')
      if (!same.test(key)) expect(spanish.get(key), key).not.toBe(text)
    }
  })
})

it("write what the message compiler reads as its own as {'@'}", () => {
  for (const [key, text] of [...english, ...spanish])
    expect(text.replaceAll("{'@'}", ''), key).not.toContain('@')
})

describe('the keys in the source', () => {
  // t('a.b') and keys handed on as strings; t(`a.${b}`) is checked by its beginning.
  const literal = /\bt\(\s*'([\w.-]+)'/g
  const template = /\bt\(\s*`([\w.-]*)\$\{/g
  it.each(sources.map(([path, text]) => [path.replace('../../', ''), text]))('exist: %s', (_, text) => {
    for (const [, key] of text.matchAll(literal)) expect(english.has(key ?? ''), key).toBe(true)
    for (const [, prefix] of text.matchAll(template)) {
      expect(
        [...english.keys()].some((key) => key.startsWith(prefix ?? '')),
        prefix,
      ).toBe(true)
    }
  })

  it('are all used', () => {
    const all = sources.map(([, text]) => text).join('\n')
    const prefixes = [...all.matchAll(template)]
      .map((match) => match[1] ?? '')
      .filter((prefix) => prefix !== '')
    for (const key of english.keys()) {
      const used = all.includes(`'${key}'`) || prefixes.some((prefix) => key.startsWith(prefix))
      expect(used || key.startsWith('problem.') || key.startsWith('fieldProblem.'), key).toBe(true)
    }
  })
})
