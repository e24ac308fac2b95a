// Accounts at other services: logging in with one, linking one, and what is said when that fails. The issuer is a program of
// its own, and to the browser another site.
import type { Page } from '@playwright/test'
import { account, ensureAccount, expect, expectNoOverflow, logIn, test } from './support'

test.skip(!process.env.ORQ_E2E_ISSUER, 'the program that is tested asks no issuer of ours')

/** The issuer's page. */
const there = /^http:\/\/localhost:\d+\/login\//

/** Somebody logs in on the issuer's page; their name is their password there. */
async function logInThere(page: Page, name: string) {
  await expect(page).toHaveURL(there)
  await page.locator('input[name=username]').fill(name)
  await page.locator('input[name=password]').fill(name)
  await page.getByRole('button').first().click()
}

/** An account besides that of the other tests, which is the first. */
async function somebody(page: Page, name: string) {
  await ensureAccount(page.request)
  const whose = { email: `${name}@elsewhere.example.com`, username: name, password: 'correct horse battery' }
  await logIn(page, whose)
  return whose
}

test('somebody logs in with another service, from another site, and goes on where they wanted to', async ({
  page,
}) => {
  await ensureAccount(page.request)
  await page.context().clearCookies()
  await page.goto('/runs?status=failed')
  await page.getByRole('button', { name: 'Continue with Example Ltd' }).click()
  await logInThere(page, 'olivia')
  await expect(page).toHaveURL(/\/runs\?status=failed$/)
  await expect(page.getByRole('heading', { name: 'Runs', level: 1 })).toBeVisible()
  const cookies = await page.context().cookies()
  expect(
    cookies.map(({ name, sameSite }) => [name, sameSite]).filter(([name]) => name?.startsWith('orq_')),
  ).toEqual(
    expect.arrayContaining([
      ['orq_session', 'Strict'],
      ['orq_refresh', 'Strict'],
    ]),
  )
  expect(cookies.filter(({ name }) => name.startsWith('orq_sso_'))).toEqual([])

  // It is a session as any other, and lasts.
  await page.reload()
  await expect(page.getByRole('heading', { name: 'Runs', level: 1 })).toBeVisible()
  await page.goto('/settings')
  await expect(page.getByText('olivia@example.com').first()).toBeVisible()
  await expect(page.getByText('You have no password.')).toBeVisible()
  await expect(page.getByRole('list', { name: 'Where you are logged in' })).toContainText('this one')
  await page.getByRole('button', { name: 'Unlink Example Ltd' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Unlink' }).click()
  await expect(page.getByRole('alert')).toContainText('your only way to log in')
})

test('an account is linked, used, and unlinked', async ({ page, browser }) => {
  const whose = await somebody(page, 'paula')
  await page.goto('/settings')
  await page.getByRole('button', { name: 'Link GitHub' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Link', exact: true }).click()
  await expect(page.getByText('Enter your password.')).toBeVisible()
  await page.getByRole('dialog').getByLabel('Password').fill('not the password')
  await page.getByRole('dialog').getByRole('button', { name: 'Link', exact: true }).click()
  await expect(page.getByText('that is not your password')).toBeVisible()
  await page.getByRole('dialog').getByLabel('Password').fill(whose.password)
  await page.keyboard.press('Enter')
  await logInThere(page, 'oscar')
  await expect(page.getByText('GitHub is linked: you can log in with it')).toBeVisible()
  await expect(page).toHaveURL(/\/settings$/)
  await expect(page.getByRole('list', { name: 'Ways to log in' })).toContainText('oscar@example.com')

  const other = await (await browser.newContext({ baseURL: process.env.ORQ_E2E_URL })).newPage()
  await other.goto('/login')
  await other.getByRole('button', { name: 'Continue with GitHub' }).click()
  await logInThere(other, 'oscar')
  await other.getByRole('button', { name: 'Account and settings' }).click()
  await expect(other.getByText(whose.email)).toBeVisible()
  await other.context().close()

  await page.getByRole('button', { name: 'Unlink GitHub' }).click()
  await page.getByRole('dialog').getByLabel('Password').fill(whose.password)
  await page.getByRole('dialog').getByRole('button', { name: 'Unlink' }).click()
  await expect(page.getByText('GitHub is not linked any more')).toBeVisible()
  await expect(page.getByRole('button', { name: 'Link GitHub' })).toBeVisible()
})

test('what does not work out is said in words, in both languages and on a phone', async ({ page }) => {
  await page.setViewportSize({ width: 390, height: 844 })
  await ensureAccount(page.request)
  // The address has an account here, which the service's word does not open.
  const made = await page.request.post('/api/v1/auth/register', {
    data: { email: 'OTTO@example.com', username: 'Otto', password: account.password },
  })
  expect([201, 409]).toContain(made.status())
  await page.context().clearCookies()
  await page.goto('/login?next=/queue')
  await page.getByRole('button', { name: 'Continue with Example Ltd' }).click()
  await logInThere(page, 'otto')
  await expect(page.getByRole('alert')).toContainText('has an account here already')
  await expectNoOverflow(page, 'the login with a failure')
  await page.evaluate(() => localStorage.setItem('orq.locale', 'es'))
  await page.reload()
  await expect(page.getByRole('alert')).toContainText('ya tiene una cuenta aquí')
  await page.getByRole('button', { name: 'Continuar con Example Ltd' }).click()
  await expect(page).toHaveURL(there)
  await page.goBack()
  await expect(page.getByRole('button', { name: 'Continuar con Example Ltd' })).toBeEnabled()
  // Who logs in with the password goes on all the same.
  await page.getByLabel('Correo electrónico').fill('otto@example.com')
  await page.getByLabel('Contraseña').fill(account.password)
  await page.getByRole('button', { name: 'Iniciar sesión' }).click()
  await expect(page).toHaveURL(/\/queue$/)

  // No text but ours: what an address says is nobody's words.
  await page.context().clearCookies()
  await page.goto('/login?failed=%3Cb%3Ehello%3C/b%3E')
  await expect(page.getByRole('alert')).toHaveText(/El otro servicio no pudo confirmar quién eres/)
})

test('an invitation is accepted with an account of another service', async ({ page, browser }) => {
  await logIn(page)
  const project = (await (
    await page.request.post('/api/v1/projects', { data: { name: 'Shared by link' } })
  ).json()) as {
    id: string
  }
  const made = await page.request.post(`/api/v1/projects/${project.id}/invitations`, {
    data: { role: 'viewer' },
  })
  const { url } = (await made.json()) as { url: string }
  const guest = await (await browser.newContext({ baseURL: process.env.ORQ_E2E_URL })).newPage()
  await guest.goto(url)
  await guest.getByRole('button', { name: 'Continue with Example Ltd' }).click()
  await logInThere(guest, 'olga')
  await expect(guest).toHaveURL(/\/$/)
  const me = (await (await guest.request.get('/api/v1/auth/me')).json()) as { projects: { name: string }[] }
  expect(me.projects.map(({ name }) => name)).toContain('Shared by link')
  await guest.context().close()
})
