// Pictures for the documents: npm run shots writes ../docs/images, or the folder ORQ_SHOTS_DIR.
import { fileURLToPath } from 'node:url'
import { expect, httpStep, logIn, logStep, makeWorkflow, startRun, test } from './support'

const folder = process.env.ORQ_SHOTS_DIR ?? fileURLToPath(new URL('../../../docs/images', import.meta.url))

test('pictures', async ({ browser }) => {
  test.setTimeout(120_000)
  const setup = await browser.newPage({ baseURL: process.env.ORQ_E2E_URL })
  await logIn(setup)
  const make = (name: string, cron: string | undefined, steps: object[], enabled = true) =>
    makeWorkflow(setup, name, {
      enabled,
      triggers: cron ? [{ id: 'schedule', type: 'schedule', cron, timezone: 'Europe/Madrid' }] : [],
      steps,
    })
  const ok = [
    httpStep('/ok'),
    { ...logStep('1 EUR = {{ steps.fetch.body.usd }} USD'), depends_on: ['fetch'] },
  ]
  const made = [
    await make('Nightly database backup', '30 2 * * *', ok),
    await make('Sync customers to CRM', '*/15 * * * *', [httpStep('/sometimes')]),
    await make('Invoice reminders', '0 9 * * MON-FRI', [httpStep('/fail')]),
    await make('Deploy preview sites', undefined, ok),
    await make('Certificate expiry check', '0 6 * * *', ok),
    await make('Clean temporary files', '0 */6 * * *', ok, false),
    await make('Weekly sales report', '0 7 * * MON', [
      { ...httpStep('/flaky'), retry: { attempts: 4, initial: '700ms', backoff: 'fixed' } },
      { ...logStep('1 EUR = {{ steps.fetch.body.usd }} USD'), name: 'Note the rate', depends_on: ['fetch'] },
      {
        id: 'archive',
        name: 'Archive the figures',
        action: 'http_endpoint',
        config: httpStep('/ok').config,
        depends_on: ['fetch'],
      },
      {
        id: 'report',
        name: 'Print the report',
        action: 'http_endpoint',
        config: httpStep('/fail').config,
        retry: { attempts: 2, initial: '400ms', backoff: 'fixed' },
        depends_on: ['archive'],
      },
      {
        id: 'tell',
        name: 'Tell the team',
        action: 'log_message',
        config: { message: 'Done' },
        depends_on: ['report'],
      },
    ]),
  ]
  let last = ''
  for (const workflow of made) {
    for (let i = 0; i < (workflow === made.at(-1) ? 3 : 12); i++) last = await startRun(setup, workflow.id)
  }
  await setup.close()

  for (const [name, address, options] of [
    ['dashboard', '/', { colorScheme: 'light', locale: 'en-GB', width: 1280, height: 900 }],
    ['panel', '/', { colorScheme: 'light', locale: 'es-ES', width: 1280, height: 900 }],
    ['runs', '/runs', { colorScheme: 'light', locale: 'en-GB', width: 1280, height: 800 }],
    ['workflows', '/workflows', { colorScheme: 'light', locale: 'en-GB', width: 1280, height: 720 }],
    ['run', `/runs/${last}`, { colorScheme: 'dark', locale: 'en-GB', width: 1280, height: 800 }],
    ['flujos', '/workflows', { colorScheme: 'light', locale: 'es-ES', width: 1280, height: 720 }],
    ['ejecucion', `/runs/${last}`, { colorScheme: 'dark', locale: 'es-ES', width: 1280, height: 800 }],
    [
      'editor',
      `/workflows/${made[0]?.id}/edit`,
      { colorScheme: 'light', locale: 'en-GB', width: 1280, height: 900 },
    ],
    ['phone', '/workflows', { colorScheme: 'dark', locale: 'en-GB', width: 390, height: 844 }],
  ] as const) {
    const { width, height, ...rest } = options
    const page = await browser.newPage({
      baseURL: process.env.ORQ_E2E_URL,
      viewport: { width, height },
      timezoneId: 'Europe/Madrid',
      ...rest,
    })
    await logIn(page)
    await page.goto(address)
    await page.locator('h1').waitFor()
    await expect(page.locator('[aria-busy="true"]')).toHaveCount(0)
    await page.evaluate(() => document.fonts.ready)
    await page.screenshot({ path: `${folder}/${name}.png` })
    await page.close()
  }
})
