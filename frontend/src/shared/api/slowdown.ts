// What to do when the server says that these were too many requests (429): wait as long as it asks for, then ask again.
// Such a request has not been done, so that repeating it is safe. A limit that is reached otherwise (a quota, logins) is for
// people to know about, and not waited for.
import { ref } from 'vue'

/** How many requests wait at the moment; the frame says so while there are any. */
export const slowed = ref(0)

const mostTries = 4
const longest = 30_000 // ms; whoever would wait longer is told instead

/** How long to wait before this request may be repeated, in milliseconds; undefined when it is not to be. */
export async function waitAsked(response: Response): Promise<number | undefined> {
  if (response.status !== 429) return undefined
  const wait = Number(response.headers.get('Retry-After')) * 1000
  if (!(wait > 0) || wait > longest) return undefined
  const problem: unknown = await response
    .clone()
    .json()
    .catch(() => undefined)
  const code = typeof problem === 'object' && problem && 'code' in problem ? problem.code : undefined
  return code === 'too_many_requests' ? wait : undefined
}

/** Sends a request, and once more after each wait that the server asks for, a few times at most. */
export async function patiently(
  request: Request,
  send: (request: Request) => Promise<Response>,
  sleep = pause,
): Promise<Response> {
  for (let tries = 1; ; tries++) {
    const again = tries < mostTries ? request.clone() : undefined
    const response = await send(request)
    const wait = again && (await waitAsked(response))
    if (!again || wait === undefined) return response
    slowed.value++
    try {
      // Those who were refused together do not come back together.
      await sleep(wait + Math.random() * 500, request.signal)
    } finally {
      slowed.value--
    }
    request = again
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer)
      reject(signal.reason as Error)
    }
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop)
      resolve()
    }, ms)
    if (signal.aborted) stop()
    else signal.addEventListener('abort', stop, { once: true })
  })
}
