import { describe, expect, it } from 'vitest'
import { fromText, namePattern, shortText, templateOf, toText } from './value-text'

describe('a variable', () => {
  it.each([['text'], [''], ['12'], [12], [true], [null], [[1, { a: 'b' }]], [{ a: [] }]])(
    'is the same after it was shown in a field: %j',
    (value) => {
      const { form, text } = toText(value)
      expect(fromText(form, text)).toEqual({ value })
    },
  )

  it('says when it is no JSON', () => {
    expect(fromText('json', '{')).toBeUndefined()
    expect(fromText('json', '')).toBeUndefined()
  })

  it('is shown in one line', () => {
    expect(shortText({ a: 1 })).toBe('{"a":1}')
    expect(shortText('x'.repeat(200))).toHaveLength(120)
  })
})

it('is named by templates', () => {
  expect(templateOf('secrets', 'token')).toBe('{{ secrets.token }}')
  expect(templateOf('variables', 'base')).toBe('{{ vars.base }}')
})

it.each([
  ['token', true],
  ['_A9', true],
  ['9a', false],
  ['a-b', false],
  ['ñ', false],
  ['', false],
])('the name %s', (name, ok) => expect(namePattern.test(name)).toBe(ok))
