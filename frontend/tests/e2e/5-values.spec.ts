// Secrets and variables: stored once, named in a step, used by a run, and seen nowhere.
import {
  expect,
  expectAccessible,
  expectNoOverflow,
  logIn,
  makeWorkflow,
  sink,
  test,
  uniqueName,
} from './support'

test.beforeEach(({ page }) => logIn(page))

const value = 'sk_live_4eC39HqLyjWDarjtT1zdp7dc'

test('a secret is stored, used in a header, and hidden in the log', async ({ page }) => {
  await page.goto('/')
  await page.getByRole('button', { name: 'Account and settings' }).first().click()
  await page.getByRole('menuitem', { name: 'Secrets and variables' }).click()
  await expect(page.getByRole('heading', { level: 1, name: 'Secrets and variables' })).toBeVisible()
  await expect(page.getByText('No secrets yet')).toBeVisible()
  await expectAccessible(page, 'secrets, none yet')

  await page.getByRole('button', { name: 'New secret' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByRole('button', { name: 'Save' }).click()
  await expect(dialog.getByText('Use letters without accents')).toBeVisible()
  await dialog.getByLabel('Name').fill('rates_token')
  await expect(dialog.getByText('{{ secrets.rates_token }}')).toBeVisible()
  await dialog.getByLabel('Value').fill(value)
  await dialog.getByLabel('Description').fill('Of the bank')
  await expectAccessible(page, 'a new secret')
  await dialog.getByRole('button', { name: 'Save' }).click()
  const secrets = page.getByRole('region', { name: 'Secrets' })
  await expect(secrets.getByRole('heading', { name: 'rates_token' })).toBeVisible()
  await expect(secrets).toContainText('No workflow names it')
  await expect(secrets).toContainText('never used')

  await page.getByRole('button', { name: 'New variable' }).click()
  await dialog.getByLabel('Name').fill('echo')
  await dialog.getByLabel('Value').fill(`${sink}/echo`)
  await dialog.getByRole('button', { name: 'Save' }).click()
  await expect(page.getByRole('region', { name: 'Variables' })).toContainText('/echo')

  // A name that is not there is told at its place; the right one is saved.
  const name = uniqueName('With a secret')
  const source = (token: string) => `name: ${name}
steps:
  - id: fetch
    action: http_endpoint
    config:
      url: "{{ vars.echo }}"
      auth: { type: bearer, token: "{{ secrets.${token} }}" }
  - id: note
    action: log_message
    config: { message: "it said {{ steps.fetch.body.authorization }}" }
    depends_on: [fetch]
`
  await page.goto('/workflows/new?view=source')
  const text = page.getByRole('textbox', { name: 'Definition as text' })
  await text.fill(source('rates_tokn'))
  await page.getByRole('button', { name: 'Create workflow' }).click()
  await expect(page.getByText('did you mean rates_token?').first()).toBeVisible()
  await text.fill(source('rates_token'))
  await page.getByRole('button', { name: 'Create workflow' }).click()
  await expect(page.getByRole('heading', { name })).toBeVisible()
  await page.getByRole('button', { name: 'Run now' }).click()
  await expect(page.getByText('Succeeded').first()).toBeVisible()
  await expect(page.getByText('it said Bearer ***').first()).toBeVisible()
  const run = page.url().split('/').pop()?.split('?')[0] ?? ''
  for (const path of [`/runs/${run}`, `/runs/${run}/logs`, '/secrets'])
    expect(await (await page.request.get(`/api/v1${path}`)).text()).not.toContain(value)

  // It is in use: seen, and kept.
  await page.goto('/secrets')
  await expect(secrets.getByRole('link', { name })).toBeVisible()
  await expect(secrets).toContainText('last used')
  await secrets.getByRole('button', { name: 'Delete “rates_token”' }).click()
  await dialog.getByRole('button', { name: 'Delete' }).click()
  await expect(dialog.getByRole('alert')).toContainText(name)
  await dialog.getByRole('button', { name: 'Cancel' }).click()

  // Another value of it.
  await secrets.getByRole('button', { name: 'Replace “rates_token”' }).click()
  await expect(dialog.getByLabel('Value')).toHaveValue('')
  await dialog.getByLabel('Value').fill('another value of it')
  await dialog.getByRole('button', { name: 'Save' }).click()
  await expect(page.getByText('“rates_token” was saved')).toBeVisible()
  await expectAccessible(page, 'secrets')
})

test('variables are text or JSON, and go when nothing names them', async ({ page }) => {
  await page.goto('/secrets')
  const variables = page.getByRole('region', { name: 'Variables' })
  const dialog = page.getByRole('dialog')
  await variables.getByRole('button', { name: 'New variable' }).click()
  await dialog.getByLabel('Name').fill('limits')
  await dialog.getByLabel('Written as').selectOption('json')
  await dialog.getByLabel('Value').fill('{"max": ')
  await dialog.getByRole('button', { name: 'Save' }).click()
  await expect(dialog.getByText('This is not valid JSON')).toBeVisible()
  await dialog.getByLabel('Value').fill('{"max": 9007199254740991}')
  await dialog.getByRole('button', { name: 'Save' }).click()
  await expect(variables).toContainText('{"max":9007199254740991}')
  await variables.getByRole('button', { name: 'Edit “limits”' }).click()
  await expect(dialog.getByLabel('Value')).toHaveValue(/"max": 9007199254740991/)
  await dialog.getByLabel('Written as').selectOption('text')
  await dialog.getByLabel('Value').fill('none')
  await dialog.getByRole('button', { name: 'Save' }).click()
  await expect(variables.getByText('none', { exact: true })).toBeVisible()
  await variables.getByRole('button', { name: 'Delete “limits”' }).click()
  await dialog.getByRole('button', { name: 'Delete' }).click()
  await expect(variables.getByRole('heading', { name: 'limits' })).toHaveCount(0)
})

test('in Spanish, on a phone, in the dark', async ({ browser }) => {
  const context = await browser.newContext({
    baseURL: process.env.ORQ_E2E_URL,
    locale: 'es-ES',
    colorScheme: 'dark',
    viewport: { width: 390, height: 844 },
  })
  const page = await context.newPage()
  await logIn(page)
  await page.request.put('/api/v1/secrets/a_secret_with_quite_a_long_name_that_needs_room', {
    data: { value, description: 'Para el banco' },
  })
  await makeWorkflow(page, uniqueName('Usa un secreto'), {
    steps: [
      {
        id: 'note',
        action: 'log_message',
        config: { message: '{{ secrets.a_secret_with_quite_a_long_name_that_needs_room }}' },
      },
    ],
  })
  await page.goto('/secrets')
  await expect(page.getByRole('heading', { level: 1, name: 'Secretos y variables' })).toBeVisible()
  await expect(page.getByText('Lo usan:').first()).toBeVisible()
  await expectNoOverflow(page, 'secrets on a phone')
  await expectAccessible(page, 'secrets in the dark')
  await page.screenshot({ path: 'test-results/secrets-phone-dark-es.png', fullPage: true })
  await page.getByRole('button', { name: 'Secreto nuevo' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Guardar' }).click()
  await expect(page.getByRole('dialog').getByText('Usa letras sin acentos')).toBeVisible()
  await page.screenshot({ path: 'test-results/secrets-dialog-es.png' })
  await page.setViewportSize({ width: 1440, height: 900 })
  await page.emulateMedia({ colorScheme: 'light' })
  await page.keyboard.press('Escape')
  await page.screenshot({ path: 'test-results/secrets-wide-es.png' })
  await context.close()
})
