import { account, ensureAccount, expect, expectAccessible, test } from './support'

test('the first person to come makes the administrator account', async ({ page }) => {
  const system = (await (await page.request.get('/api/v1/system')).json()) as { setup_required: boolean }
  test.skip(!system.setup_required, 'somebody has registered here already')

  await page.goto('/runs?status=failed')
  await expect(page.getByRole('heading', { name: 'Create the administrator account' })).toBeVisible()
  await expectAccessible(page, 'first start')

  // Nothing filled in: the first wrong field gets the focus and says why.
  await page.getByRole('button', { name: 'Create the administrator account' }).click()
  await expect(page.getByLabel('E-mail')).toBeFocused()
  await page.getByLabel('E-mail').fill(account.email)
  await page.getByLabel('Name').fill(account.username)
  await page.getByLabel('Password').fill('short')
  await page.getByRole('button', { name: 'Create the administrator account' }).click()
  await expect(page.getByLabel('Password')).toBeFocused()
  await expect(page.getByText('Use 10 characters or more.')).toBeVisible()

  await page.getByLabel('Password').fill(account.password)
  await page.keyboard.press('Enter')
  await expect(page).toHaveURL(/\/runs\?status=failed$/) // where they wanted to go
  await page.getByRole('link', { name: 'Workflows', exact: true }).first().click()
  await expect(page.getByText('Create your first workflow')).toBeVisible()
  await page.getByRole('link', { name: 'Queue', exact: true }).first().click()
  await expect(page.getByRole('link', { name: /Queue monitor/ })).toHaveAttribute('href', '/monitoring/')
})

test('the login says what is wrong, keeps the next address and refuses a foreign one', async ({ page }) => {
  await ensureAccount(page.request)
  await page.context().clearCookies()
  await page.goto('/login?next=https://evil.example/')
  await page.getByLabel('E-mail').fill(account.email)
  await page.getByLabel('Password').fill('not the password')
  await page.getByRole('button', { name: 'Log in' }).click()
  await expect(page.getByRole('alert')).toContainText('wrong')

  await page.getByLabel('Password').fill(account.password)
  await page.getByRole('button', { name: 'Log in' }).click()
  await expect(page.getByRole('heading', { name: 'Dashboard' })).toBeVisible()
  expect(new URL(page.url()).pathname).toBe('/')

  // Tokens are the server's business: no script can read one.
  const readable = await page.evaluate(() =>
    JSON.stringify([document.cookie, { ...localStorage }, { ...sessionStorage }]),
  )
  expect(readable).not.toContain('eyJ')
  expect(await page.evaluate(() => document.cookie)).toBe('')

  await page.getByRole('button', { name: 'Account and settings' }).click()
  await page.getByRole('menuitem', { name: 'Log out' }).click()
  await expect(page.getByRole('heading', { name: 'Log in' })).toBeVisible()
  await page.goto('/workflows/new')
  await expect(page).toHaveURL(/\/login\?next=/)
})

test('a session whose access cookie is gone is renewed without a word', async ({ page, context }) => {
  await ensureAccount(page.request)
  await page.request.post('/api/v1/auth/login', {
    data: { email: account.email, password: account.password },
  })
  await page.goto('/workflows')
  await expect(page.getByRole('heading', { name: 'Workflows' })).toBeVisible()
  await context.clearCookies({ name: 'orq_session' })
  await page.getByRole('link', { name: 'Runs', exact: true }).first().click()
  await expect(page.getByRole('heading', { name: 'Runs' })).toBeVisible()
  await expect(page).toHaveURL(/\/runs$/)
  // The page is there before what it shows: the list's request finds the cookie gone, and only then is it renewed.
  await expect
    .poll(async () => (await context.cookies()).map((cookie) => cookie.name))
    .toContain('orq_session')
})
