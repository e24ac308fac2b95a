// What programs log in with.
import { expect, logIn, test, uniqueName } from './support'

test('a program is given a token, uses it, and loses it', async ({ page, playwright }) => {
  await logIn(page)
  const name = uniqueName('Nightly script')
  await page.goto('/settings')
  await page.getByRole('button', { name: 'New token' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByRole('button', { name: 'New token' }).click()
  await expect(dialog.getByLabel('Name')).toHaveAttribute('aria-invalid', 'true')
  await dialog.getByLabel('Name').fill(name)
  await dialog.getByLabel('What it may do').selectOption({ label: 'Read' })
  await dialog.getByLabel('Good for').selectOption({ label: '30 days' })
  await dialog.getByRole('button', { name: 'New token' }).click()
  await expect(dialog.getByText('it is not shown again')).toBeVisible()
  const token = (await dialog.getByRole('region', { name: 'Token' }).textContent())?.trim() ?? ''
  await dialog.getByRole('button', { name: 'Done' }).click()

  const program = await playwright.request.newContext({
    baseURL: process.env.ORQ_E2E_URL,
    extraHTTPHeaders: { Authorization: `Bearer ${token}` },
  })
  expect((await program.get('/api/v1/runs')).status()).toBe(200)
  expect((await program.post('/api/v1/workflows', { data: { name: 'x', steps: [] } })).status()).toBe(403)
  const row = page.getByRole('listitem').filter({ hasText: name })
  await expect(row).toContainText('Read')
  await row.getByRole('button', { name: `Revoke ${name}` }).click()
  await expect(row).toHaveCount(0)
  expect((await program.get('/api/v1/runs')).status()).toBe(401)
  await program.dispose()
})
