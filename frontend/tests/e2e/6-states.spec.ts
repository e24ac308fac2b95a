// Every list says that it is loading, that the server is away, and what the server refused, and tries again when asked.
import type { Route } from '@playwright/test'
import { expect, logIn, logStep, makeWorkflow, refusal, startRun, test, uniqueName } from './support'

const lists = [
  { name: 'dashboard', address: '/', call: /\/api\/v1\/stats/ },
  { name: 'workflows', address: '/workflows', call: /\/api\/v1\/workflows\?/ },
  { name: 'runs', address: '/runs', call: /\/api\/v1\/runs\?/ },
  { name: 'queues', address: '/queue', call: /\/api\/v1\/queues/ },
  { name: 'calendars', address: '/calendars', call: /\/api\/v1\/calendars/ },
  { name: 'sessions', address: '/settings', call: /\/api\/v1\/auth\/sessions/ },
  { name: 'runs of a workflow', address: '/workflows/ID', call: /\/api\/v1\/runs\?/ },
  { name: 'ledger', address: '/workflows/ID/occurrences', call: /\/api\/v1\/.*\/occurrences/ },
  { name: 'backfills', address: '/workflows/ID/occurrences', call: /\/api\/v1\/.*\/backfills/, quiet: true },
  { name: 'versions', address: '/workflows/ID/versions', call: /\/api\/v1\/.*\/versions/ },
  { name: 'audit log', address: '/administration/audit', call: /\/api\/v1\/audit\?/ },
  { name: 'a workflow', address: '/workflows/ID', call: /\/api\/v1\/workflows\/[^/?]+$/ },
  { name: 'a run', address: '/runs/RUN', call: /\/api\/v1\/runs\/[^/?]+$/ },
  { name: 'logs', address: '/runs/RUN', call: /\/api\/v1\/.*\/logs/, quiet: true },
]

test('every list says that it loads, and that the server is away', async ({ page }) => {
  test.setTimeout(120_000)
  await logIn(page)
  const workflow = await makeWorkflow(page, uniqueName('States'), {
    triggers: [{ id: 'daily', type: 'schedule', cron: '0 9 * * *', timezone: 'Europe/Madrid' }],
    steps: [logStep('x')],
  })
  const run = await startRun(page, workflow.id)
  // What the stream brings would be shown before the answer that is held up here.
  await page.route('**/api/v1/events*', (route) =>
    route.fulfill({ contentType: 'text/event-stream', body: ': nothing\n\n' }),
  )
  for (const { name, address, call, quiet } of lists) {
    await test.step(name, async () => {
      let begin: (route: Route) => void
      const asked = new Promise<Route>((resolve) => (begin = resolve))
      let away = true
      await page.route(call, async (route) => {
        begin(route)
        if (!away) return route.continue()
        if (!quiet) await expect(page.locator('[aria-busy="true"]').first(), `${name} loads`).toBeVisible()
        return route.abort('internetdisconnected')
      })
      await page.goto(address.replace('ID', workflow.id).replace('RUN', run))
      await asked
      const said = page
        .getByRole('alert')
        .filter({ hasText: /No connection to the server|The server does not answer/ })
      await expect(said.first(), `${name} is away`).toBeVisible()
      away = false
      // What looks again by itself may be faster than the button.
      await said
        .first()
        .getByRole('button', { name: 'Try again' })
        .click({ timeout: 3000 })
        .catch(() => undefined)
      await expect(said, `${name} is back`).toHaveCount(0)
      await page.unroute(call)
    })
  }
})

test('what the server refuses stands at its field', async ({ page }) => {
  await logIn(page)
  const workflow = await makeWorkflow(page, uniqueName('Refuses'), { steps: [logStep('x')] })
  await page.route(/\/runs$/, (route) =>
    route.request().method() === 'POST'
      ? route.fulfill(
          refusal('some fields are not valid', {
            code: 'validation_failed',
            errors: [{ pointer: '/inputs', code: 'too_large', message: 'the inputs are too large' }],
          }),
        )
      : route.fallback(),
  )
  await page.goto(`/workflows/${workflow.id}`)
  await page.getByRole('button', { name: 'More actions' }).click()
  await page.getByRole('menuitem', { name: 'Run with inputs…' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByRole('button', { name: 'Start run' }).click()
  await expect(dialog.getByLabel('Inputs (JSON)')).toHaveAttribute('aria-invalid', 'true')
  await expect(dialog.getByText('the inputs are too large')).toHaveCount(1)
})

test('who makes too many requests waits, is told so, and sees the page all the same', async ({ page }) => {
  await logIn(page)
  await page.goto('/settings') // which asks for no runs
  // The limit of the real program is a thousand times what a person does: what it says is put into its mouth.
  const left = await page.request.get('/api/v1/auth/me')
  expect(left.headers()['ratelimit']).toMatch(/^"user";r=\d+;t=\d+$/)
  let [seen, refused] = [false, 0]
  await page.route(/\/api\/v1\/runs\?/, (route) => {
    if (seen) return route.fallback()
    refused++
    return route.fulfill({
      status: 429,
      headers: { 'Retry-After': '4', 'Content-Type': 'application/problem+json' },
      body: JSON.stringify({ title: 'Too Many Requests', status: 429, code: 'too_many_requests' }),
    })
  })
  const visit = page.goto('/runs')
  const notice = page.getByRole('status').filter({ hasText: 'asked to wait a moment' })
  await expect(notice).toBeVisible()
  seen = true
  await visit
  await expect(notice).toHaveCount(0)
  await expect(page.locator('main [aria-busy="true"]')).toHaveCount(0)
  await expect(page.getByRole('alert')).toHaveCount(0)
  expect(refused).toBeGreaterThan(0)
})
