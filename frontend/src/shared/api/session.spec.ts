// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { refreshSession } from './session'

let calls: string[]
let answer: () => Promise<{ ok: boolean }>
beforeEach(() => {
  calls = []
  answer = () => Promise.resolve({ ok: true })
  localStorage.clear()
  vi.stubGlobal('fetch', (url: string) => {
    calls.push(url)
    return answer()
  })
})
afterEach(() => vi.unstubAllGlobals())

it('renews once for all calls that were refused at the same time', async () => {
  const sentAt = Date.now()
  expect(await Promise.all([refreshSession(sentAt), refreshSession(sentAt), refreshSession(sentAt)])).toEqual(
    [true, true, true],
  )
  expect(calls).toEqual(['/api/v1/auth/refresh'])
})

it('does not use the token again when another tab renewed after the call was sent', async () => {
  localStorage.setItem('orq.session_renewed_at', String(Date.now() + 1000))
  expect(await refreshSession(Date.now())).toBe(true)
  expect(calls).toEqual([])
})

it('says no when the server does, or does not answer, and may be asked again', async () => {
  answer = () => Promise.resolve({ ok: false })
  expect(await refreshSession(Date.now())).toBe(false)
  answer = () => Promise.reject(new TypeError('offline'))
  expect(await refreshSession(Date.now())).toBe(false)
  expect(calls).toHaveLength(2)
})
