import { expect, it } from 'vitest'
import { readable } from './payload'

it('shows JSON with lines, and anything else as it came', () => {
  expect(readable({ body: '{"a":1}', encoding: 'text' })).toBe('{\n  "a": 1\n}')
  expect(readable({ body: 'hello', encoding: 'text' })).toBe('hello')
  expect(readable({ body: '{broken', encoding: 'text' })).toBe('{broken')
  expect(readable({ body: '{"id":12345678901234567890}', encoding: 'text' })).toBe(
    '{"id":12345678901234567890}',
  )
  expect(readable({ body: 'e30=', encoding: 'base64' })).toBe('e30=')
})
