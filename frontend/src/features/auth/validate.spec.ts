import { expect, it } from 'vitest'
import { emailProblem, newPasswordProblem } from './validate'

it.each([
  ['ana@example.com', undefined],
  [' ana@example ', undefined],
  ['ana', 'auth.emailInvalid'],
  ['a na@example.com', 'auth.emailInvalid'],
  ['', 'auth.emailInvalid'],
])('e-mail %j: %s', (email, expected) => {
  expect(emailProblem(email)).toBe(expected)
})

it.each([
  ['123456789', 'auth.passwordShort'],
  ['1234567890', undefined],
  ['ñ'.repeat(36), undefined],
  ['ñ'.repeat(37), 'auth.passwordLong'],
])('password %j: %s', (password, expected) => {
  expect(newPasswordProblem(password)).toBe(expected)
})
