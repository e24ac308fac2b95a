import { keptScene, screensOf, settled, textsOf } from './screens'
import {
  account,
  cutTexts,
  expect,
  expectAccessible,
  expectNoOverflow,
  logIn,
  newcomer,
  test,
} from './support'

const budget = 150 * 1024 // bytes over the wire, for everything that a first visit loads

/** Menus and what is loaded late stand outside of the landmarks. */
const floating = /menu|views/

test.use({ trace: 'off' }) // it would take longer than the looking; a failure names the screen

for (const language of ['en', 'es'] as const) {
  for (const part of [0, 1, 2, 3]) {
    test.describe(`in ${language}, part ${part + 1}`, () => {
      test.use({
        locale: language === 'es' ? 'es-ES' : 'en-GB',
        colorScheme: 'light',
        contextOptions: { reducedMotion: 'reduce' }, // colours that change slowly are not measured half-way
      })

      test('every screen is accessible in both themes and fits every width', async ({ page }) => {
        test.setTimeout(300_000)
        const scene = keptScene()
        let who: string | undefined = 'guest'
        for (const screen of screensOf(scene).filter((_, i) => i % 4 === part)) {
          const { name } = screen
          if (screen.as !== who) {
            await page.context().clearCookies()
            if (screen.as !== 'guest') await logIn(page, screen.as === 'newcomer' ? newcomer : account)
            who = screen.as
          }
          await page.setViewportSize({ width: 1440, height: 900 })
          await screen.before?.(page, scene)
          await page.goto(screen.address)
          await settled(page)
          await screen.act?.(page, textsOf(language))
          const options = { except: floating.test(name) ? ['region'] : [] }
          for (const [width, height] of [
            [1440, 900],
            [820, 900],
            [390, 844],
          ] as const) {
            await page.setViewportSize({ width, height })
            await expectNoOverflow(page, `${name} at ${width}`)
            if (width === 820) {
              // The layout between the two others has no parts of its own, but the least room for its texts.
              await expect
                .poll(() => cutTexts(page), {
                  message: `${name} at ${width}: texts that are cut off`,
                  timeout: 5000,
                })
                .toEqual([])
              continue
            }
            // A theme changes nothing but colours: the second one is looked at for those; on a phone it takes turns.
            const themes = width === 390 ? [language === 'en' ? 'dark' : 'light'] : ['light', 'dark']
            for (const [n, theme] of (themes as ('light' | 'dark')[]).entries()) {
              await page.emulateMedia({ colorScheme: theme })
              await expect(page.locator('html')).toHaveClass(theme === 'dark' ? /dark/ : /^(?!.*dark)/)
              await expectAccessible(
                page,
                `${name}, ${theme}, ${width}`,
                n === 0 ? options : { coloursOnly: true },
              )
            }
          }
          await page.unrouteAll()
        }
      })
    })
  }
}

test('a first visit loads little', async ({ browser }) => {
  test.setTimeout(180_000)
  const all = screensOf(keptScene()).filter((screen) => !screen.act && !screen.before && !screen.as)
  const once = await browser.newContext({ baseURL: process.env.ORQ_E2E_URL })
  await logIn(await once.newPage())
  const storageState = await once.storageState() // who is logged in, and nothing that a visit has loaded
  for (const { name, address } of [...all, { name: 'login', address: '/login' }]) {
    const context = await browser.newContext({
      baseURL: process.env.ORQ_E2E_URL,
      storageState: name === 'login' ? undefined : storageState,
    })
    const page = await context.newPage()
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
    await page.goto(address)
    await settled(page)
    // A file's size is reported after the page has it.
    await expect.poll(() => [...requests.values()], { message: `${name} still loads` }).toEqual([])
    console.log(`    ${name}: ${(bytes / 1024).toFixed(0)} kB`)
    expect.soft(bytes, name).toBeLessThanOrEqual(budget)
    expect(bytes, name).toBeGreaterThan(10_000)
    await context.close()
  }
  await once.close()
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

  await page.goto(`/runs/${keptScene().failedRun}`)
  await settled(page)
  await page.getByRole('button', { name: 'Rerun', exact: true }).focus()
  await page.keyboard.press('Enter')
  await expect(page.getByRole('menu')).toBeVisible()
  await expectAccessible(page, 'the rerun menu', { except: ['region'] }) // a menu stands outside of the landmarks
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
