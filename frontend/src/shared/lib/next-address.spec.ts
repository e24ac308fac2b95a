import { expect, it } from 'vitest'
import { safeNext } from './next-address'

it.each([
  ['/runs?status=failed', '/runs?status=failed'],
  ['/workflows/1#x', '/workflows/1#x'],
  [undefined, '/'],
  [['/runs'], '/'],
  ['', '/'],
  ['runs', '/'],
  ['https://evil.example', '/'],
  ['//evil.example', '/'],
  ['/\\evil.example', '/'],
  ['/\t/evil.example', '/'],
  ['javascript:alert(1)', '/'],
  ['/login', '/'],
  ['/login?next=/login', '/'],
  ['/register', '/'],
])('after the login, ?next=%j leads to %s', (next, expected) => {
  expect(safeNext(next)).toBe(expected)
})
