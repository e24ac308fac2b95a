// What projects may: where their calls go, how much they use.
import {
  account,
  expect,
  httpStep,
  logIn,
  logStep,
  makeWorkflow,
  startRun,
  test,
  uniqueName,
} from './support'

test('a project calls what its list names, and nothing else', async ({ page }) => {
  test.setTimeout(90_000)
  await logIn(page)
  const name = uniqueName('Outgoing')
  const made = await page.request.post('/api/v1/projects', { data: { name } })
  const { id } = (await made.json()) as { id: string }
  const workflow = await makeWorkflow(page, uniqueName('Call'), {
    project_id: id,
    steps: [httpStep('/rates')],
  })

  // A mistake is pointed at, and nothing is saved.
  await page.goto(`/projects/${id}`)
  const list = page.getByLabel('May be called, and nothing else')
  await list.fill('api.example.com\nhttps://example.com')
  const save = page.getByRole('region', { name: 'Outgoing calls' }).getByRole('button', { name: 'Save' })
  await save.click()
  await expect(list).toHaveAttribute('aria-invalid', 'true')
  await expect(page.getByText('https://example.com: the entry is a URL')).toBeVisible()

  await list.fill('API.example.com\n*.example.org')
  await save.click()
  await expect(page.getByText('The list of outgoing calls is saved')).toBeVisible()
  await expect(list).toHaveValue('api.example.com\n*.example.org')
  await expect(save).toBeDisabled()

  // The run says which rule stopped it, and who can change that.
  const refused = await startRun(page, workflow.id)
  await page.goto(`/runs/${refused}`)
  await expect(
    page
      .getByText('is not in the list of hosts that this project may call; its owners and admins')
      .locator('visible=true')
      .first(),
  ).toBeVisible()

  await page.goto(`/projects/${id}`)
  await list.fill('')
  await save.click()
  await expect(page.getByText('The list of outgoing calls is saved')).toBeVisible()
  // Workers notice it within five seconds.
  await expect(async () => {
    const run = await startRun(page, workflow.id)
    const now = (await (await page.request.get(`/api/v1/runs/${run}`)).json()) as { status: string }
    expect(now.status).toBe('succeeded')
  }).toPass({ timeout: 20_000 })
})

test('an administrator allows a project an inside address', async ({ page }) => {
  await logIn(page)
  const name = uniqueName('Inside')
  await page.request.post('/api/v1/projects', { data: { name } })
  await page.goto('/administration')
  await page.getByRole('searchbox', { name: 'Name of the project or owner' }).fill(name)
  await expect(page.getByRole('list', { name: 'Projects' }).getByRole('listitem')).toHaveCount(1)
  await expect(page.getByRole('list', { name: 'Projects' })).toContainText(`of ${account.username}`)
  await page.getByRole('button', { name: `Limits of ${name}` }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Inside addresses it may call').fill('10.0.0.0/99')
  await dialog.getByRole('button', { name: 'Save' }).click()
  await expect(dialog.getByText('is not a network such as 10.0.0.0/8')).toBeVisible()
  await dialog.getByLabel('Inside addresses it may call').fill('10.1.0.0/16, intranet.example:8080')
  await dialog.getByRole('button', { name: 'Save' }).click()
  await expect(page.getByText(`The limits of ${name} are saved`)).toBeVisible()
  await expect(page.getByRole('list', { name: 'Projects' })).toContainText(
    '10.1.0.0/16, intranet.example:8080',
  )
})

test('a quota is set, reached and shown', async ({ page }) => {
  await logIn(page)
  const name = uniqueName('Quota')
  const made = await page.request.post('/api/v1/projects', { data: { name } })
  const { id } = (await made.json()) as { id: string }
  const workflow = await makeWorkflow(page, uniqueName('One'), { project_id: id, steps: [logStep('x')] })
  await page.goto(`/projects/${id}`)
  const usage = page.getByRole('region', { name: 'Usage' })
  await expect(usage).toContainText('Workflows1, without a limit')

  await page.goto('/administration')
  await page.getByRole('searchbox', { name: 'Name of the project or owner' }).fill(name)
  await page.getByRole('button', { name: `Limits of ${name}` }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Workflows').fill('many')
  await dialog.getByRole('button', { name: 'Save' }).click()
  await expect(dialog.getByLabel('Workflows')).toHaveAttribute('aria-invalid', 'true')
  await dialog.getByLabel('Workflows').fill('1')
  await dialog.getByLabel('Runs started within a minute').fill('1')
  await dialog.getByRole('button', { name: 'Save' }).click()
  await expect(page.getByText(`The limits of ${name} are saved`)).toBeVisible()
  await expect(page.getByRole('list', { name: 'Projects' })).toContainText('1 of 1 (100 %) used up')

  // Members see it too, and what is too much is refused with the reason.
  await page.goto(`/projects/${id}`)
  await expect(usage).toContainText('Workflows1 of 1 (100 %) used up')
  const second = await page.request.post('/api/v1/workflows', {
    data: { name: uniqueName('Two'), project_id: id, steps: [logStep('x')] },
  })
  expect(second.status()).toBe(409)
  await page.goto(`/workflows/${workflow.id}`)
  await expect(async () => {
    // The quota is noticed within five seconds.
    const run = await page.request.post(`/api/v1/workflows/${workflow.id}/runs`, { data: {} })
    expect(run.status()).toBe(429)
  }).toPass({ timeout: 15_000 })
  await page.getByRole('button', { name: 'Run now' }).click()
  await expect(page.getByText('The project has used up its quota of runs within a minute (1)')).toBeVisible()
})

test('what a project may store is shown and limited', async ({ page }) => {
  await logIn(page)
  const name = uniqueName('Stored')
  const made = await page.request.post('/api/v1/projects', { data: { name } })
  const { id } = (await made.json()) as { id: string }
  await page.goto(`/projects/${id}`)
  await expect(page.getByRole('region', { name: 'Usage' })).toContainText('Storage0 byte, without a limit')

  await page.goto('/administration')
  await page.getByRole('searchbox', { name: 'Name of the project or owner' }).fill(name)
  await page.getByRole('button', { name: `Limits of ${name}` }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Storage in megabytes').fill('0.5')
  await dialog.getByRole('button', { name: 'Save' }).click()
  await expect(dialog.getByLabel('Storage in megabytes')).toHaveAttribute('aria-invalid', 'true')
  await dialog.getByLabel('Storage in megabytes').fill('25.5')
  await dialog.getByRole('button', { name: 'Save' }).click()
  await expect(page.getByText(`The limits of ${name} are saved`)).toBeVisible()
  await expect(page.getByRole('list', { name: 'Projects' })).toContainText('0 byte of 25.5 MB (0 %)')
  await page.getByRole('button', { name: `Limits of ${name}` }).click()
  await expect(dialog.getByLabel('Storage in megabytes')).toHaveValue('25.5')
})
