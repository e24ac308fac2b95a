// A whole journey without a mouse: what has the focus is always seen, and the focus is never lost.
import type { Locator, Page } from '@playwright/test'
import {
  account,
  ensureAccount,
  expect,
  logIn,
  logStep,
  makeWorkflow,
  sink,
  test,
  uniqueName,
} from './support'

/** What has the focus, and whether its reader can see that. */
function focused(page: Page): Promise<{ what: string; lost: boolean; seen: boolean }> {
  return page.evaluate(() => {
    const element = document.activeElement
    if (!element || element === document.body) return { what: 'nothing', lost: true, seen: false }
    const name =
      element.getAttribute('aria-label') ??
      (element as HTMLInputElement).labels?.[0]?.textContent ??
      element.textContent ??
      ''
    const what = `${element.tagName} ${name.trim().slice(0, 40)}`
    const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(element)
    // The button inside of a field for a time has a ring of the browser's own.
    const inner = element instanceof HTMLInputElement && /time|date/.test(element.type)
    const ring = (outlineStyle !== 'none' && outlineWidth !== '0px') || boxShadow !== 'none' || inner
    const place = element.getBoundingClientRect()
    const inView = place.bottom > 0 && place.top < innerHeight && place.width > 0
    return { what, lost: false, seen: ring && inView }
  })
}

async function expectFocusKept(page: Page, when: string): Promise<void> {
  await expect
    .poll(async () => (await focused(page)).lost, { message: `the focus after ${when}` })
    .toBe(false)
}

/** Presses Tab until the target has the focus; on the way each stop has to be seen. */
async function tabTo(page: Page, target: Locator, key = 'Tab'): Promise<void> {
  await expect(target).toBeVisible()
  for (let presses = 0; presses < 80; presses++) {
    if (await target.evaluate((element) => element === document.activeElement)) return
    await page.keyboard.press(key)
    // At the end of the page the browser itself has the focus for one press.
    const at = await focused(page)
    if (!at.lost && !at.seen)
      await expect
        .poll(async () => (await focused(page)).seen, {
          message: `the focus is seen at ${at.what}`,
          timeout: 3000,
        })
        .toBe(true)
  }
  throw new Error(`Tab does not reach ${target}; it is at ${(await focused(page)).what}`)
}

async function press(page: Page, target: Locator): Promise<void> {
  await tabTo(page, target)
  await page.keyboard.press('Enter')
}

test('from the login to a rerun from the failed step, by keyboard alone', async ({ page }) => {
  test.setTimeout(120_000)
  await ensureAccount(page.request)
  await page.context().clearCookies()
  await page.goto('/login')
  await tabTo(page, page.getByLabel('E-mail'))
  await page.keyboard.type(account.email)
  await tabTo(page, page.getByLabel('Password'))
  await page.keyboard.type(account.password)
  await page.keyboard.press('Enter')
  await expect(page.getByRole('heading', { name: 'Dashboard' })).toBeVisible()
  await expectFocusKept(page, 'the login')

  await press(page, page.getByRole('link', { name: 'Workflows', exact: true }))
  await expect(page.getByRole('heading', { name: 'Workflows', exact: true })).toBeVisible()
  await expectFocusKept(page, 'a change of the page')
  await press(page, page.getByRole('link', { name: 'Templates' }))
  await press(page, page.getByRole('link', { name: /^Reminder in a chat/ }))
  await expect(page.getByLabel('URL', { exact: true })).toBeFocused()
  await page.keyboard.type(`${sink}/fail`)
  const name = uniqueName('Keys')
  await tabTo(page, page.getByLabel('Name', { exact: true }).first(), 'Shift+Tab')
  await page.keyboard.press('Control+a')
  await page.keyboard.type(name)
  await press(page, page.getByRole('button', { name: 'Create workflow' }))
  await expect(page.getByRole('heading', { name })).toBeVisible()
  await expectFocusKept(page, 'creating the workflow')

  await press(page, page.getByRole('button', { name: 'Run now' }))
  await expect(page).toHaveURL(/\/runs\//)
  await expectFocusKept(page, 'starting a run')
  await press(page, page.getByRole('link', { name: 'Runs', exact: true }).first())
  await expect(page.getByRole('heading', { name: 'Runs', exact: true })).toBeVisible()
  await press(page, page.getByRole('row').filter({ hasText: name }).getByRole('link'))
  await expect(page.getByRole('region', { name: 'Post the message' })).toContainText('out of paper')

  // A menu and a dialog give the focus back to where they were opened.
  const rerun = page.getByRole('button', { name: 'Rerun', exact: true })
  await press(page, rerun)
  await expect(page.getByRole('menu')).toBeVisible()
  await page.keyboard.press('Escape')
  await expect(rerun).toBeFocused()
  await page.keyboard.press('Enter')
  await page.keyboard.press('End')
  await page.keyboard.press('Enter')
  const dialog = page.getByRole('dialog')
  await expect(dialog).toBeVisible()
  await page.keyboard.press('Escape')
  await expect(dialog).toBeHidden()
  await expectFocusKept(page, 'closing a dialog that a menu opened')
  await expect(rerun).toBeFocused()

  const before = page.url()
  await page.keyboard.press('Enter')
  const choice = page.getByRole('menuitem', { name: 'From the failed step' })
  await expect(choice).toBeVisible()
  for (let n = 0; n < 8 && !(await choice.evaluate((item) => item === document.activeElement)); n++)
    await page.keyboard.press('ArrowDown')
  await page.keyboard.press('Enter')
  await expect(page).not.toHaveURL(before)
  await expect(page.getByText('Repeats an earlier run')).toBeVisible()
  await expectFocusKept(page, 'the rerun')
  await page.keyboard.press('Tab')
  expect((await focused(page)).lost).toBe(false)
})

test('what opens gives the focus back when it closes', async ({ page }) => {
  await logIn(page)
  const workflow = await makeWorkflow(page, uniqueName('Closes'), { steps: [logStep('x')] })
  await page.goto(`/workflows/${workflow.id}`)
  const more = page.getByRole('button', { name: 'More actions' })
  await press(page, more)
  await expect(page.getByRole('menu')).toBeVisible()
  await page.keyboard.press('Escape')
  await expect(more).toBeFocused()
  for (const [item, by] of [
    ['Run with inputs…', 'ArrowDown'],
    ['Delete', 'End'],
  ] as const) {
    await page.keyboard.press('Enter')
    const choice = page.getByRole('menuitem', { name: item })
    await expect(choice).toBeVisible()
    for (let n = 0; n < 5 && !(await choice.evaluate((element) => element === document.activeElement)); n++)
      await page.keyboard.press(by)
    await page.keyboard.press('Enter')
    await expect(page.getByRole('dialog')).toBeVisible()
    await page.keyboard.press('Escape')
    await expect(page.getByRole('dialog')).toBeHidden()
    await expect(more, `after ${item}`).toBeFocused()
  }
  for (const key of ['Control+k', '?']) {
    await page.keyboard.press(key)
    await expect(page.getByRole('dialog')).toBeVisible()
    await page.keyboard.press('Escape')
    await expect(page.getByRole('dialog')).toBeHidden()
    await expect(more, `after ${key}`).toBeFocused()
  }
  const account = page.getByRole('button', { name: 'Account and settings' })
  await tabTo(page, account, 'Shift+Tab')
  await page.keyboard.press('Enter')
  await expect(page.getByRole('menu')).toBeVisible()
  await page.keyboard.press('Escape')
  await expect(account).toBeFocused()
})

test.describe('for whom movement is too much', () => {
  test.use({ contextOptions: { reducedMotion: 'reduce' } })

  test('nothing moves by itself', async ({ page }) => {
    await logIn(page)
    for (const address of ['/', '/workflows', '/runs', '/queue']) {
      await page.goto(address)
      await page.locator('h1').waitFor()
      const moving = await page.evaluate(() =>
        document
          .getAnimations()
          .filter((animation) => animation.playState === 'running')
          .flatMap((animation) => {
            const { duration, iterations } = animation.effect?.getComputedTiming() ?? {}
            return Number(duration) > 50 || iterations === Infinity
              ? [String((animation as CSSAnimation).animationName)]
              : []
          }),
      )
      expect(moving, address).toEqual([])
    }
  })
})
