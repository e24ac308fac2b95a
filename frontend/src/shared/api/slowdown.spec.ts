import { describe, expect, it } from 'vitest'
import { patiently, slowed } from './slowdown'

const refusal = (code: string, after: string) =>
  new Response(JSON.stringify({ status: 429, title: 'Too Many Requests', code }), {
    status: 429,
    headers: { 'Retry-After': after },
  })

const request = () => new Request('http://orq.test/api/v1/runs', { method: 'POST', body: '{"a":1}' })

/** Answers in their order, and what was sent for each. */
function server(...answers: Response[]) {
  const bodies: string[] = []
  const send = async (sent: Request) => {
    bodies.push(await sent.text())
    const answer = answers.shift()
    if (!answer) throw new Error('asked too often')
    return answer
  }
  return { bodies, send }
}

describe('too many requests', () => {
  it('waits as long as the server asks for, says so meanwhile, and sends the same again', async () => {
    const { bodies, send } = server(refusal('too_many_requests', '2'), new Response('done'))
    const waits: number[] = []
    const shown: number[] = []
    const answer = await patiently(request(), send, (ms) => {
      waits.push(ms)
      shown.push(slowed.value)
      return Promise.resolve()
    })
    expect(await answer.text()).toBe('done')
    expect(bodies).toEqual(['{"a":1}', '{"a":1}'])
    expect(waits[0]).toBeGreaterThanOrEqual(2000)
    expect(waits[0]).toBeLessThan(3000)
    expect(shown).toEqual([1])
    expect(slowed.value).toBe(0)
  })

  it.each([
    ['a quota', 'runs_per_minute', '2'],
    ['guessed passwords', 'too_many_attempts', '2'],
    ['a long wait', 'too_many_requests', '600'],
    ['no time', 'too_many_requests', ''],
  ])('hands on what is refused because of %s', async (_, code, after) => {
    const { send } = server(refusal(code, after))
    expect((await patiently(request(), send)).status).toBe(429)
  })

  it('gives up in the end', async () => {
    const { bodies, send } = server(...Array.from({ length: 4 }, () => refusal('too_many_requests', '1')))
    expect((await patiently(request(), send, () => Promise.resolve())).status).toBe(429)
    expect(bodies).toHaveLength(4)
  })

  it('stops waiting when nobody wants the answer any more', async () => {
    const { send } = server(refusal('too_many_requests', '20'))
    const stop = new AbortController()
    const asked = patiently(new Request('http://orq.test/', { signal: stop.signal }), send)
    stop.abort()
    await expect(asked).rejects.toMatchObject({ name: 'AbortError' })
    expect(slowed.value).toBe(0)
  })
})
