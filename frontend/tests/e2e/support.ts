// What all browser tests share: an account, a way to the API that needs no clicking, and a page that may not complain.
import AxeBuilder from '@axe-core/playwright'
import { expect, test as base, type APIRequestContext, type Page } from '@playwright/test'

export const account = { email: 'ana@example.com', username: 'Ana', password: 'una frase larga y buena' }
export const sink = process.env.ORQ_E2E_SINK ?? ''

/** Lines of the browser's console that are no defect: answers that a test provokes are reported there as well. */
const harmless =
  /Failed to load resource: (the server responded with a status of (401|404|409|412|422)|net::ERR_INTERNET_DISCONNECTED)/

export const test = base.extend<{ page: Page }>({
  page: async ({ page }, use) => {
    const complaints: string[] = []
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type()) && !harmless.test(message.text()))
        complaints.push(message.text())
    })
    page.on('pageerror', (error) => complaints.push(String(error)))
    await use(page)
    expect(complaints, 'the browser complained').toEqual([])
  },
})
export { expect }

/** Makes sure that the account exists. */
export async function ensureAccount(request: APIRequestContext): Promise<void> {
  const login = await request.post('/api/v1/auth/login', { data: pick(account, 'email', 'password') })
  if (login.ok()) return
  const made = await request.post('/api/v1/auth/register', { data: account })
  expect(made.status(), await made.text()).toBe(201)
}

/** Logs the page in without the form. */
export async function logIn(page: Page): Promise<void> {
  await ensureAccount(page.request)
  const login = await page.request.post('/api/v1/auth/login', { data: pick(account, 'email', 'password') })
  expect(login.status(), await login.text()).toBe(200)
}

function pick<T extends object, K extends keyof T>(from: T, ...keys: K[]): Pick<T, K> {
  return Object.fromEntries(keys.map((key) => [key, from[key]])) as Pick<T, K>
}

let made = 0
export function uniqueName(base: string): string {
  return `${base} ${Date.now().toString(36)}${made++}`
}

interface Made {
  id: string
  name: string
}

/** Makes a workflow by the API. */
export async function makeWorkflow(page: Page, name: string, definition: object): Promise<Made> {
  const answer = await page.request.post('/api/v1/workflows', { data: { name, ...definition } })
  expect(answer.status(), await answer.text()).toBe(201)
  return (await answer.json()) as Made
}

/** Starts a run by the API and waits until it is over, unless told not to. */
export async function startRun(page: Page, workflow: string, { wait = true } = {}): Promise<string> {
  const answer = await page.request.post(`/api/v1/workflows/${workflow}/runs`, { data: {} })
  expect(answer.status(), await answer.text()).toBe(202)
  const { id } = (await answer.json()) as { id: string }
  if (wait) {
    await expect
      .poll(
        async () =>
          ((await (await page.request.get(`/api/v1/runs/${id}`)).json()) as { status: string }).status,
        {
          timeout: 30_000,
        },
      )
      .toMatch(/succeeded|failed|cancelled/)
  }
  return id
}

export const logStep = (message: string) => ({ id: 'note', action: 'log_message', config: { message } })
export const httpStep = (path: string, more: object = {}) => ({
  id: 'fetch',
  name: 'Fetch the rate',
  action: 'http_endpoint',
  config: { method: 'GET', url: sink + path },
  ...more,
})

/** No violation of WCAG 2.2 AA that axe can see. */
export async function expectAccessible(page: Page, where: string, except: string[] = []): Promise<void> {
  const { violations } = await new AxeBuilder({ page })
    .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'])
    .disableRules(except)
    .analyze()
  const found = violations.map(
    (violation) =>
      `${violation.id}: ${violation.nodes.map((node) => `${node.target.join(' ')} — ${node.html}`).join(' | ')}`,
  )
  expect(found, where).toEqual([])
}

export async function expectNoOverflow(page: Page, where: string): Promise<void> {
  const surplus = await page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
  )
  expect(surplus, `${where} is wider than the window`).toBeLessThanOrEqual(0)
}

/** Nothing that happens keeps the page busy for more than 200 ms, nor a press or click without an answer for as long. */
export async function expectSmooth(page: Page, act: () => Promise<void>): Promise<void> {
  await page.evaluate(() => {
    const seen: { type: string; name: string; ms: number }[] = []
    Object.assign(window, { seenWork: seen })
    for (const type of ['longtask', 'event'] as const) {
      new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) seen.push({ type, name: entry.name, ms: entry.duration })
      }).observe({ type, ...(type === 'event' ? { durationThreshold: 16 } : {}) })
    }
  })
  await act()
  const slow = await page.evaluate(async () => {
    // What was measured is handed out after the next frames.
    for (let i = 0; i < 3; i++) await new Promise((resolve) => requestAnimationFrame(resolve))
    const { seenWork } = window as unknown as { seenWork: { type: string; name: string; ms: number }[] }
    return seenWork.sort((a, b) => b.ms - a.ms).slice(0, 3)
  })
  console.log(
    `    slowest: ${slow.map(({ type, name, ms }) => `${type} ${name} ${ms.toFixed(0)} ms`).join(', ')}`,
  )
  expect(slow.filter(({ ms }) => ms > 200)).toEqual([])
}
