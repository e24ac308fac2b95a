import { expect, it } from 'vitest'
import { waysOf } from './ways'

const identity = (id: string, issuer: string, provider: string | null) => ({
  id,
  issuer,
  provider,
  email: 'ana@example.com',
  created_at: '2026-11-25T10:00:00Z',
})

it('shows each service that is asked, and then what is left of those that were', () => {
  const github = identity('1', 'https://github.com', 'github')
  const old = identity('2', 'https://id.old.example.com/realms/main', null)
  const odd = identity('3', 'no address', null)
  const ways = waysOf(
    [
      { id: 'google', name: 'Google' },
      { id: 'github', name: 'GitHub' },
    ],
    [old, github, odd],
  )
  expect(ways).toEqual([
    { key: 'google', name: 'Google', provider: 'google', identity: undefined },
    { key: 'github', name: 'GitHub', provider: 'github', identity: github },
    { key: '2', name: 'id.old.example.com', identity: old },
    { key: '3', name: 'no address', identity: odd },
  ])
})
