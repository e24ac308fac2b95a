import { expect, it } from 'vitest'
import { purposeOf } from './providers'

const token = 'a'.repeat(43)

it.each([
  ['/', { next: '/' }],
  ['/runs?status=failed#log-2', { next: '/runs?status=failed#log-2' }],
  [`/invitation#${token}`, { invitation: token }],
  ['/invitation#short', { next: '/invitation#short' }],
  [`/elsewhere#${token}`, { next: `/elsewhere#${token}` }],
])('a login that leads to %j has the purpose %j', (next, purpose) => {
  expect(purposeOf(next)).toEqual(purpose)
})
