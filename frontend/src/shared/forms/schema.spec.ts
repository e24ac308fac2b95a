import { describe, expect, it } from 'vitest'
import {
  fieldsOf,
  kindOf,
  parseJSON,
  startConfig,
  startVariant,
  variantOf,
  withValue,
  writeJSON,
  type Schema,
} from './schema'

const auth: Schema = {
  oneOf: [
    { required: ['type', 'token'], properties: { type: { const: 'bearer' }, token: { type: 'string' } } },
    {
      required: ['type', 'header', 'value'],
      properties: { type: { const: 'api_key' }, header: { type: 'string' }, value: { type: 'string' } },
    },
    {
      required: ['type', 'query', 'value'],
      properties: { type: { const: 'api_key' }, query: { type: 'string' }, value: { type: 'string' } },
    },
  ],
}

describe('fields of a schema', () => {
  it('knows what each is edited with', () => {
    const kinds = {
      text: { type: 'string' },
      lines: { type: 'string', 'x-multiline': true },
      number: { type: 'integer' },
      switch: { type: 'boolean' },
      choice: { type: 'string', enum: ['a'] },
      texts: { type: 'array', items: { type: 'string' } },
      objects: { type: 'array', items: { type: 'object', properties: { a: { type: 'string' } } } },
      group: { type: 'object', properties: { a: { type: 'string' } } },
      pairs: { type: 'object', additionalProperties: { type: 'string' } },
      json: { type: 'object', additionalProperties: true },
      variants: auth,
    } as const
    for (const [kind, schema] of Object.entries(kinds)) expect(kindOf(schema as Schema)).toBe(kind)
    expect(kindOf({})).toBe('json')
  })

  it('leaves out constants and what others edit', () => {
    const schema: Schema = {
      required: ['b'],
      properties: { a: { const: 1 }, b: { type: 'string' }, c: { type: 'string' } },
    }
    expect(fieldsOf(schema, ['c']).map(({ name, required }) => [name, required])).toEqual([['b', true]])
  })

  it('begins with what has to be there', () => {
    expect(
      startConfig({
        required: ['message', 'to', 'level'],
        properties: {
          message: { type: 'string' },
          to: { type: 'array', items: { type: 'string' } },
          level: { enum: ['info', 'warn'], default: 'info' },
          more: { type: 'string' },
        },
      }),
    ).toEqual({ message: '', to: [], level: 'info' })
  })
})

describe('variants', () => {
  it('are told apart by constants and by the fields they need', () => {
    const find = (value: unknown) => variantOf(auth.oneOf ?? [], value)
    expect(find({ type: 'bearer', token: '' })).toBe(0)
    expect(find({ type: 'api_key', header: '', value: '' })).toBe(1)
    expect(find({ type: 'api_key', query: 'k', value: 'v' })).toBe(2)
    expect(find({ type: 'api_key' })).toBe(1)
    expect(find({ type: 'digest' })).toBe(-1)
    expect(find(undefined)).toBe(-1)
  })

  it('keep what they share', () => {
    expect(startVariant(auth.oneOf?.[2] ?? {}, { type: 'api_key', header: 'X', value: 'v' })).toEqual({
      type: 'api_key',
      query: '',
      value: 'v',
    })
  })
})

describe('values', () => {
  it('are not there when they are undefined', () => {
    expect(withValue({ a: 1, b: 2 }, 'a', undefined)).toEqual({ b: 2 })
    expect(withValue({ a: 1 }, 'b', 2)).toEqual({ a: 1, b: 2 })
  })

  it('may be a template instead of JSON', () => {
    expect(parseJSON('{{ steps.a.body }}')).toEqual({ value: '{{ steps.a.body }}' })
    expect(writeJSON('{{ steps.a.body }}')).toBe('{{ steps.a.body }}')
    expect(parseJSON('{"a": 1}')).toEqual({ value: { a: 1 } })
    expect(parseJSON('{"a": ')).toBeUndefined()
    expect(parseJSON(' ')).toEqual({ value: undefined })
    expect(writeJSON('plain')).toBe('"plain"')
  })
})
