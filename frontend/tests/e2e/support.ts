// What all browser tests share: an account, a way to the API that needs no clicking, and a page that may not complain.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type axe from 'axe-core'
import { expect, test as base, type APIRequestContext, type Page } from '@playwright/test'

export const account = { email: 'ana@example.com', username: 'Ana', password: 'una frase larga y buena' }
/** Somebody who has made nothing. */
export const newcomer = { email: 'nora@example.com', username: 'Nora', password: 'otra frase larga y buena' }
export const sink = process.env.ORQ_E2E_SINK ?? ''

/** Lines of the browser's console that are no defect: answers that a test provokes are reported there as well. */
const harmless =
  /Failed to load resource: (the server responded with a status of (401|403|404|409|410|412|422|429)|net::ERR_INTERNET_DISCONNECTED)/

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
export async function ensureAccount(request: APIRequestContext, whose = account): Promise<void> {
  const login = await request.post('/api/v1/auth/login', { data: pick(whose, 'email', 'password') })
  if (login.ok()) return
  const made = await request.post('/api/v1/auth/register', { data: whose })
  expect(made.status(), await made.text()).toBe(201)
}

/** Logs the page in without the form. */
export async function logIn(page: Page, whose = account): Promise<void> {
  await ensureAccount(page.request, whose)
  const login = await page.request.post('/api/v1/auth/login', { data: pick(whose, 'email', 'password') })
  expect(login.status(), await login.text()).toBe(200)
}

export function pick<T extends object, K extends keyof T>(from: T, ...keys: K[]): Pick<T, K> {
  return Object.fromEntries(keys.map((key) => [key, from[key]])) as Pick<T, K>
}

/** An answer that refuses, as the server writes it. */
export function refusal(detail: string, more: { code?: string; errors?: object[] } = {}) {
  return {
    status: 422,
    contentType: 'application/problem+json',
    body: JSON.stringify({ type: 'about:blank', title: 'No', status: 422, code: 'x', detail, ...more }),
  }
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

/** Publishes what the editor shows, by its dialog. */
export async function publish(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Publish', exact: true }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Publish' }).click()
}

export const logStep = (message: string) => ({ id: 'note', action: 'log_message', config: { message } })
export const httpStep = (path: string, more: object = {}) => ({
  id: 'fetch',
  name: 'Fetch the rate',
  action: 'http_endpoint',
  config: { method: 'GET', url: sink + path },
  ...more,
})

const axeSource = readFileSync(fileURLToPath(import.meta.resolve('axe-core/axe.min.js')), 'utf8')

/** No violation of WCAG 2.2 AA that axe can see; with coloursOnly, none of contrast: what another theme may break. */
export async function expectAccessible(
  page: Page,
  where: string,
  { except = [], coloursOnly = false }: { except?: string[]; coloursOnly?: boolean } = {},
): Promise<void> {
  if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(axeSource)
  const violations = await page.evaluate(
    async ({ except, only }) => {
      const rules = Object.fromEntries(except.map((rule) => [rule, { enabled: false }]))
      const { violations } = await (window as never as { axe: typeof axe }).axe.run(document, {
        resultTypes: ['violations'],
        ...only,
        rules,
      })
      return violations.map(({ id, nodes }) => ({
        id,
        nodes: nodes.map(({ target, html }) => ({ target: target.join(' '), html })),
      }))
    },
    {
      except,
      only: {
        runOnly: coloursOnly
          ? { type: 'rule' as const, values: ['color-contrast', 'link-in-text-block'] }
          : {
              type: 'tag' as const,
              values: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
            },
      },
    },
  )
  const found = violations.map(
    (violation) =>
      `${violation.id}: ${violation.nodes.map((node) => `${node.target} — ${node.html}`).join(' | ')}`,
  )
  expect(found, where).toEqual([])
}

export async function expectNoOverflow(page: Page, where: string): Promise<void> {
  // What floats, such as an open menu, is placed anew after the window has changed.
  await expect
    .poll(
      () => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth),
      {
        message: `${where} is wider than the window`,
        timeout: 5000,
      },
    )
    .toBeLessThanOrEqual(0)
}

/** Texts that are cut off: with an ellipsis, or by the edge of what holds them. */
export function cutTexts(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const found: string[] = []
    document.querySelectorAll<HTMLElement>('body *').forEach((element) => {
      const style = getComputedStyle(element)
      if (style.visibility === 'hidden' || element.clientWidth < 2) return
      if (element.closest('.sr-only, [role="log"], [data-mark], [data-step]')) return // boxes of a graph have one size
      if (!['hidden', 'clip'].includes(style.overflowX) || !element.textContent?.trim()) return
      if (element.querySelector('a, button, input, table')) return // what holds parts of the page, no text
      const wide = element.scrollWidth > element.clientWidth + 1
      const high = style.webkitLineClamp !== 'none' && element.scrollHeight > element.clientHeight + 1
      if (wide || high) found.push(element.textContent.trim().replace(/\s+/g, ' ').slice(0, 100))
    })
    return found
  })
}
