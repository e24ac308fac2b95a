// npm run shots: pictures of every screen in both themes and languages at three widths into shots/ (or ORQ_SHOTS_DIR),
// with a sheet of each width to look through and a list of the texts that do not fit; and those of the documents into
// ../docs/images. With ORQ_SHOTS=docs only the latter, with ORQ_SHOTS=run,graph the screens whose names hold one of them.
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Browser } from '@playwright/test'
import { buildScene, screensOf, settled, textsOf, type Language, type Scene } from './screens'
import {
  account,
  cutTexts,
  ensureAccount,
  expect,
  httpStep,
  logIn,
  logStep,
  makeWorkflow,
  newcomer,
  startRun,
  test,
} from './support'

const baseURL = process.env.ORQ_E2E_URL
const folder = process.env.ORQ_SHOTS_DIR ?? fileURLToPath(new URL('../../shots', import.meta.url))
const documents = fileURLToPath(new URL('../../../docs/images', import.meta.url))
const wanted = (process.env.ORQ_SHOTS ?? '').split(',').filter((word) => word !== '')
const widths = [390, 820, 1440] as const

test.describe.configure({ mode: 'serial' })

async function show(browser: Browser, language: Language, scene: Scene, cut: Set<string>): Promise<void> {
  const t = textsOf(language)
  for (const screen of screensOf(scene)) {
    if (wanted.length > 0 && !wanted.some((word) => screen.name.includes(word))) continue
    const context = await browser.newContext({
      baseURL,
      locale: language === 'es' ? 'es-ES' : 'en-GB',
      timezoneId: 'Europe/Madrid',
      reducedMotion: 'reduce',
      colorScheme: 'light',
      viewport: { width: 1440, height: 900 },
    })
    const page = await context.newPage()
    if (screen.as !== 'guest') await logIn(page, screen.as === 'newcomer' ? newcomer : account)
    await screen.before?.(page, scene)
    for (const width of widths) {
      // Each width is opened anew: what floats is placed when it opens, and a phone has other controls.
      await page.setViewportSize({ width, height: width < 500 ? 844 : 900 })
      await page.unroute('**/api/v1/**')
      await page.goto(screen.address)
      await settled(page)
      try {
        await screen.act?.(page, t)
      } catch (cause) {
        console.log(`    ${screen.name} at ${width}: ${String(cause).split('\n')[0]}`)
      }
      // A bar that sticks to the bottom stands there in a picture of the whole page as well.
      const whole = !/dialog|palette|shortcuts|menu|views/.test(screen.name)
      const height = await page.evaluate(() => document.documentElement.scrollHeight)
      if (whole && height < 4000) await page.setViewportSize({ width, height })
      for (const text of await cutTexts(page)) cut.add(`${screen.name} at ${width}, ${language}: ${text}`)
      for (const theme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme: theme })
        await expect(page.locator('html')).toHaveClass(theme === 'dark' ? /dark/ : /^(?!.*dark)/)
        await page.screenshot({
          animations: 'disabled',
          path: `${folder}/${width}/${theme}-${language}/${screen.name}.png`,
          fullPage: whole,
        })
      }
    }
    await context.close()
  }
}

/** A page that shows all pictures of a width, so that they are looked at side by side. */
function writeSheets(): void {
  for (const width of widths) {
    const kinds = ['light-en', 'dark-en', 'light-es', 'dark-es']
    const names = readdirSync(`${folder}/${width}/light-en`).sort()
    const rows = names.map(
      (name) =>
        `<section><h2>${name}</h2>${kinds.map((kind) => `<img loading="lazy" src="${width}/${kind}/${name}" alt="${kind}">`).join('')}</section>`,
    )
    writeFileSync(
      `${folder}/${width}.html`,
      `<!doctype html><meta charset="utf-8"><title>${width}</title><style>body{font:14px sans-serif;background:#888}img{width:24%;margin:.4%;vertical-align:top}</style>${rows.join('\n')}\n`,
    )
  }
}

test('every screen', async ({ browser }) => {
  test.skip(wanted.includes('docs'), 'only the documents’ pictures were asked for')
  test.setTimeout(1_800_000)
  for (const width of widths)
    for (const kind of ['light-en', 'dark-en', 'light-es', 'dark-es'])
      mkdirSync(`${folder}/${width}/${kind}`, { recursive: true })
  const setup = await browser.newPage({ baseURL })
  await logIn(setup)
  await ensureAccount(setup.request, newcomer)
  await logIn(setup)
  const scene = await buildScene(setup)
  const cut = new Set<string>()
  for (const language of ['en', 'es'] as const) await show(browser, language, scene, cut)
  await setup.request.post(`/api/v1/runs/${scene.slowRun}/cancel`)
  await setup.close()
  writeSheets()
  writeFileSync(`${folder}/cut.txt`, [...cut].sort().join('\n') + '\n')
})

test('the pictures of the documents', async ({ browser }) => {
  test.skip(wanted.length > 0 && !wanted.includes('docs'), 'only some screens were asked for')
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
    await page.screenshot({ animations: 'disabled', path: `${documents}/${name}.png` })
    await page.close()
  }
})
