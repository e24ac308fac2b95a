import type { Page } from '@playwright/test'
import {
  expect,
  expectAccessible,
  expectNoOverflow,
  httpStep,
  logIn,
  logStep,
  makeWorkflow,
  startRun,
  test,
} from './support'

const widths = [390, 820, 1440]
const budget = 150 * 1024 // bytes over the wire, for everything that a first visit loads

let addresses: Record<string, string>
test.beforeAll(async ({ browser }) => {
  const page = await browser.newPage({ baseURL: process.env.ORQ_E2E_URL })
  await logIn(page)
  const workflow = await makeWorkflow(page, 'Nightly backup of the customers’ database', {
    description: 'Keeps a copy in cold storage and tells the team how it went.',
    triggers: [
      { id: 'night', type: 'schedule', cron: '30 2 * * *', timezone: 'Europe/Madrid' },
      { id: 'often', type: 'schedule', every: '6h', overlap: 'queue_one', missed: 'all' },
    ],
    steps: [
      httpStep('/ok', { retry: { attempts: 3 }, timeout: '20s' }),
      {
        ...logStep('1 EUR = {{ steps.fetch.body.usd }} USD'),
        depends_on: ['fetch'],
        if: 'steps.fetch.status == 200',
      },
      {
        id: 'broken',
        name: 'Print the report',
        action: 'http_endpoint',
        config: httpStep('/fail').config,
        depends_on: ['fetch'],
      },
    ],
  })
  const run = await startRun(page, workflow.id)
  await page.close()
  addresses = {
    dashboard: '/',
    queue: '/queue',
    'a run as a graph': `/runs/${run}?view=graph`,
    'a run beside another': `/runs/${run}?view=compare`,
    workflows: '/workflows',
    'new workflow': '/workflows/new',
    'a workflow’s runs': `/workflows/${workflow.id}`,
    'a workflow’s definition': `/workflows/${workflow.id}/definition`,
    'a workflow’s ledger': `/workflows/${workflow.id}/occurrences`,
    'a workflow’s versions': `/workflows/${workflow.id}/versions`,
    'the editor': `/workflows/${workflow.id}/edit`,
    'the editor’s graph': `/workflows/${workflow.id}/edit?view=graph`,
    'the editor’s text': `/workflows/${workflow.id}/edit?view=source`,
    'templates and a crontab': '/start',
    'a curl command': '/start?from=curl',
    'a file': '/start?from=file',
    calendars: '/calendars',
    'secrets and variables': '/secrets',
    settings: '/settings',
    runs: '/runs',
    'runs, none found': '/runs?status=held',
    'a run': `/runs/${run}`,
    'a run that is not there': '/runs/00000000-0000-4000-8000-000000000000',
    'no page': '/nowhere/at/all',
  }
})

async function settled(page: Page) {
  await page.locator('h1').waitFor()
  await expect(page.locator('[aria-busy="true"]')).toHaveCount(0)
}

for (const [scheme, locale] of [
  ['light', 'es-ES'],
  ['dark', 'en-GB'],
] as const) {
  test.describe(`${scheme}, ${locale}`, () => {
    test.use({ colorScheme: scheme, locale })

    test('every screen is accessible and as wide as the window', async ({ page }) => {
      test.setTimeout(420_000)
      for (const name of ['/login', '/register']) {
        await page.goto(name)
        await settled(page)
        await expectAccessible(page, name)
        await page.setViewportSize({ width: 390, height: 844 })
        await expectNoOverflow(page, name)
      }
      await logIn(page)
      for (const [name, address] of Object.entries(addresses)) {
        await page.setViewportSize({ width: 1440, height: 900 })
        await page.goto(address)
        await settled(page)
        if (name === 'the editor')
          await page
            .getByRole('button', { name: /Fetch the rate/ })
            .first()
            .click()
        // What is closed at first is looked at as well.
        await page.evaluate(() => {
          document.querySelectorAll('main details').forEach((drawer) => drawer.setAttribute('open', ''))
        })
        await expect(page.locator('[aria-busy="true"]')).toHaveCount(0)
        await expectAccessible(page, `${name}, wide`)
        for (const width of widths) {
          await page.setViewportSize({ width, height: width < 500 ? 844 : 900 })
          await expectNoOverflow(page, `${name} at ${width}`)
        }
        if (scheme !== 'light') continue // what differs on a phone is not the colours
        await page.setViewportSize({ width: 390, height: 844 })
        await expectAccessible(page, `${name}, phone`)
      }
    })
  })
}

test('a first visit loads little', async ({ browser }) => {
  for (const name of [
    'dashboard',
    'queue',
    'workflows',
    'runs',
    'the editor',
    'a run',
    'a run as a graph',
    'the editor’s graph',
    'the editor’s text',
    'templates and a crontab',
    'settings',
    'a workflow’s ledger',
    'a workflow’s versions',
    '/login',
  ]) {
    const context = await browser.newContext({ baseURL: process.env.ORQ_E2E_URL })
    const page = await context.newPage()
    if (name !== '/login') await logIn(page)
    const session = await context.newCDPSession(page)
    await session.send('Network.enable')
    let bytes = 0
    const requests = new Map<string, string>()
    // The data grows with what people have, and the stream never ends; the budget is about the program.
    session.on('Network.requestWillBeSent', (event) => {
      if (!event.request.url.includes('/api/')) requests.set(event.requestId, event.request.url)
    })
    session.on('Network.loadingFinished', (event) => {
      if (requests.delete(event.requestId)) bytes += event.encodedDataLength
    })
    session.on('Network.loadingFailed', (event) => requests.delete(event.requestId))
    await page.goto(addresses[name] ?? name)
    await settled(page)
    // A file's size is reported after the page has it.
    await expect.poll(() => [...requests.values()], { message: `${name} still loads` }).toEqual([])
    console.log(`    ${name}: ${(bytes / 1024).toFixed(0)} kB`)
    expect(bytes, name).toBeLessThanOrEqual(budget)
    expect(bytes, name).toBeGreaterThan(10_000)
    await context.close()
  }
})

test('menus, dialogs and lists are used by keyboard alone', async ({ page }) => {
  await logIn(page)
  await page.goto('/workflows')
  await settled(page)
  await page.keyboard.press('Tab')
  await expect(page.getByRole('link', { name: 'Skip to the content' })).toBeFocused()
  await page.keyboard.press('Enter')
  await page.keyboard.press('Tab')
  await expect(page.getByRole('link', { name: 'Templates' })).toBeFocused()
  await page.keyboard.press('Tab')
  await expect(page.getByRole('link', { name: 'New workflow' })).toBeFocused()

  await page.goto(addresses['a run'] ?? '')
  await settled(page)
  await page.getByRole('button', { name: 'Rerun', exact: true }).focus()
  await page.keyboard.press('Enter')
  await expect(page.getByRole('menu')).toBeVisible()
  await expectAccessible(page, 'the rerun menu', ['region']) // a menu stands outside of the landmarks
  await page.keyboard.press('End')
  await page.keyboard.press('Enter')
  const dialog = page.getByRole('dialog')
  await expect(dialog).toBeVisible()
  await expectAccessible(page, 'a dialog')
  await page.keyboard.press('Escape')
  await expect(dialog).toBeHidden()
})

test('a script of another origin or written into the page may not run', async ({ page }) => {
  const answer = await page.goto('/login')
  const policy = answer?.headers()['content-security-policy'] ?? ''
  expect(policy).toContain("default-src 'self'")
  expect(policy).not.toContain('unsafe')
  expect((await page.request.get('/assets/missing.js')).status()).toBe(404)
  const unknown = await page.request.get('/api/v1/nowhere')
  expect(unknown.status()).toBe(404)
  expect(unknown.headers()['content-type']).toContain('application/problem+json')
})
