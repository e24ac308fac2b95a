import { readdirSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import spanish from './es.json'
import { isObject } from './schema'

const folder = '../pkg/workflow/actions/' // tests run in frontend/

/** The texts of an action that people see: titles, descriptions, choices. */
function textsOf(schema: unknown, found: Set<string>): Set<string> {
  if (!isObject(schema)) return found
  for (const name of ['title', 'description']) if (typeof schema[name] === 'string') found.add(schema[name])
  for (const choice of Array.isArray(schema.enum) ? schema.enum : []) found.add(String(choice))
  for (const part of Object.values(isObject(schema.properties) ? schema.properties : {})) textsOf(part, found)
  for (const part of Array.isArray(schema.oneOf) ? schema.oneOf : []) textsOf(part, found)
  textsOf(schema.items, found)
  textsOf(schema.additionalProperties, found)
  return found
}

it('every text of every action is said in Spanish, and nothing else', () => {
  const found = new Set<string>()
  for (const file of readdirSync(folder)) {
    const action = JSON.parse(readFileSync(folder + file, 'utf8')) as Record<string, unknown>
    found.add(String(action.title)).add(String(action.description))
    textsOf(action.config, found)
  }
  expect(Object.keys(spanish).sort()).toEqual([...found].sort())
})
