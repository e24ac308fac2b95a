import { expect, it } from 'vitest'
import { tokenOf } from './links'

it.each([
  ['#' + 'a'.repeat(43), 'a'.repeat(43)],
  ['#Ab_-' + 'x'.repeat(20), 'Ab_-' + 'x'.repeat(20)],
  ['#short', ''],
  ['', ''],
  ['#' + 'a/b'.repeat(20), ''],
])('the token of %j is %j', (hash, token) => {
  expect(tokenOf(hash)).toBe(token)
})
