// The only way to the server: a typed client over fetch. The session lives in HttpOnly cookies that scripts cannot
// read; when the access cookie has run out (401) the session is renewed once and the call is repeated.
import createClient from 'openapi-fetch'
import { ref } from 'vue'
import type { paths } from './schema'
import { toApiError } from './problem'
import { inProject } from './project'
import { refreshSession } from './session'
import { patiently } from './slowdown'

/** False after a call that got no answer, until one does. */
export const reachable = ref(true)

/** Called when the session is over and cannot be renewed; the application sends the person to the login page. */
let onSessionLost: () => void = () => undefined

export function whenSessionLost(handler: () => void): void {
  onSessionLost = handler
}

const send = (request: Request) => patiently(request, sendOnce)

async function sendOnce(request: Request): Promise<Response> {
  try {
    const response = await fetch(request)
    reachable.value = true
    return response
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === 'AbortError') throw cause
    reachable.value = false
    throw toApiError(cause)
  }
}

/** What is asked before anybody is logged in, and ends or renews the session itself. */
const withoutSession = /^\/api\/v1\/auth\/(register|login|refresh|logout|password\/\w+)$/

async function sendWithSession(request: Request): Promise<Response> {
  if (withoutSession.test(new URL(request.url).pathname)) return send(request)
  const again = request.clone()
  const sentAt = Date.now()
  const response = await send(request)
  if (response.status !== 401) return response
  if (await refreshSession(sentAt)) return send(again)
  onSessionLost()
  return response
}

export const client = createClient<paths>({
  baseUrl: '/api/v1',
  fetch: sendWithSession,
  headers: { Accept: 'application/json' },
  querySerializer: { array: { style: 'form', explode: false } },
})

client.use({
  onRequest({ request }) {
    request.headers.set('Accept-Language', document.documentElement.lang || 'en')
    return inProject(request)
  },
})

interface Answer<T> {
  data?: T
  error?: unknown
  response: Response
}

/** The body of a successful answer; throws ApiError for any other. */
export async function body<T>(call: Promise<Answer<T>>): Promise<T> {
  const { data, error, response } = await call
  if (!response.ok) throw toApiError(error, response.status)
  return data as T
}

/** Like body, with the answer's ETag ("" when it has none). */
export async function bodyWithTag<T>(call: Promise<Answer<T>>): Promise<{ data: T; etag: string }> {
  const answer = await call
  return { data: await body(Promise.resolve(answer)), etag: answer.response.headers.get('ETag') ?? '' }
}

/** A key for Idempotency-Key. crypto.randomUUID exists only on https and localhost, so it is not used. */
export function newIdempotencyKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, '0')).join(
    '',
  )
}
