import {
  expect,
  httpStep,
  logIn,
  logStep,
  makeWorkflow,
  publish,
  sink,
  startRun,
  test,
  uniqueName,
} from './support'

test.beforeEach(async ({ page }) => logIn(page))

test('from a new workflow to the logs of its run, live', async ({ page }) => {
  const name = uniqueName('Exchange rate')
  await page.goto('/workflows')
  await page.getByRole('link', { name: 'New workflow' }).first().click()
  await page.getByLabel('Name', { exact: true }).first().fill(name)

  // A schedule: a preset fills the expression, and the server says what it means.
  const trigger = page.getByRole('listitem').filter({ has: page.getByRole('heading', { name: 'Trigger 1' }) })
  await trigger.getByLabel('When').selectOption({ label: 'Every few seconds' })
  await trigger.getByLabel('Every … seconds').selectOption('5')
  await expect(trigger.getByLabel('Cron expression', { exact: true })).toHaveValue('*/5 * * * * *')
  await expect(
    trigger.getByRole('group', { name: 'Preview of the schedule' }).getByRole('listitem'),
  ).toHaveCount(5)

  // The first save shows what is missing, at its field.
  await page.getByRole('button', { name: 'Create workflow' }).click()
  const problems = page.getByRole('alert')
  await expect(problems).toContainText('Step 1')
  await problems.getByRole('button', { name: /URL/ }).click()
  const url = page.getByLabel('URL', { exact: true })
  await expect(url).toBeFocused()
  await url.fill(`${sink}/flaky`)
  await page.getByLabel('Name optional').first().fill('Fetch the rate')
  await expect(page.getByLabel('Identifier', { exact: true }).last()).toHaveValue('fetch_the_rate')
  await page.getByText('Condition, time limit and retries').click()
  await page.getByLabel('Try again after a failure').check()
  await page.getByLabel('First pause').fill('200ms')

  await page.getByRole('button', { name: 'Add log message' }).click()
  await page.getByLabel('Message').fill('1 EUR = {{ steps.fetch_the_rate.body.usd }} USD')
  await page.getByRole('button', { name: 'Create workflow' }).click()

  // It runs by itself, and the page shows it without being asked again.
  await expect(page.getByRole('heading', { name })).toBeVisible()
  await expect(page.getByText('Live')).toBeVisible()
  const row = page.getByRole('row').filter({ hasText: 'Succeeded' }).first()
  await expect(row).toBeVisible({ timeout: 30_000 })
  await page.getByRole('switch').click()
  await expect(page.getByRole('switch')).toHaveAttribute('aria-checked', 'false')

  await row.getByRole('link').click()
  await expect(page.getByRole('heading', { name })).toBeVisible()
  await page.getByRole('button', { name: 'Succeeded Fetch the rate' }).click()
  await expect(page.getByText('3 attempts')).toBeVisible()
  const logs = page.getByRole('log')
  await expect(logs).toContainText('1 EUR = 1.08 USD')
  await page.getByLabel('Search logs').fill('no such line')
  await expect(page.getByRole('status').filter({ hasText: '0 lines' })).toBeVisible()
  await page.getByLabel('Search logs').fill('eur =')
  await expect(logs.locator('mark')).toHaveText('EUR =')

  // The ledger knows the fire.
  await page.getByRole('link', { name: /Workflow, version/ }).click()
  await page.getByRole('link', { name: 'Schedule log' }).click()
  await expect(page.getByRole('cell', { name: 'Ran', exact: true }).first()).toBeVisible()
  await page.getByRole('link', { name: 'Versions' }).click()
  await expect(page.getByText('Version 1')).toBeVisible()
})

test('a run is started by hand, cancelled and run again', async ({ page }) => {
  const workflow = await makeWorkflow(page, uniqueName('Slow'), { steps: [httpStep('/slow')] })
  await page.goto(`/workflows/${workflow.id}`)
  await page.getByRole('button', { name: 'More actions' }).click()
  await page.getByRole('menuitem', { name: 'Run with inputs…' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Inputs (JSON)').fill('{"base": ')
  await dialog.getByRole('button', { name: 'Start run' }).click()
  await expect(dialog.getByText('Enter a JSON object')).toBeVisible()
  await dialog.getByLabel('Inputs (JSON)').fill('{"base": "EUR"}')
  await dialog.getByRole('button', { name: 'Start run' }).click()

  await expect(page).toHaveURL(/\/runs\//)
  await expect(page.getByRole('region', { name: 'Inputs' }).first()).toContainText('EUR')
  await expect(page.getByText('Running').first()).toBeVisible()
  await page.getByRole('button', { name: 'Cancel run' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel run' }).click()
  await expect(page.getByText('Cancelled').first()).toBeVisible()

  const before = page.url()
  await page.getByRole('button', { name: 'Rerun', exact: true }).click()
  await page.getByRole('menuitem', { name: 'Everything' }).click()
  await expect(page).not.toHaveURL(before)
  await expect(page.getByText('Repeats an earlier run')).toBeVisible()
  await page.getByRole('button', { name: 'Cancel run' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel run' }).click()
  await expect(page.getByText('Cancelled').first()).toBeVisible()
})

test('a failed run opens on the failed step with its error', async ({ page }) => {
  const workflow = await makeWorkflow(page, uniqueName('Broken'), {
    steps: [logStep('before'), httpStep('/fail', { depends_on: ['note'] })],
  })
  const id = await startRun(page, workflow.id)
  await page.goto(`/runs/${id}`)
  const panel = page.getByRole('region', { name: 'Fetch the rate' })
  await expect(panel).toContainText('500')
  await expect(panel).toContainText('Failed')
  await page.getByRole('button', { name: 'Rerun from the failed step' }).click()
  await expect(page).not.toHaveURL(new RegExp(id))
  await expect(page.getByText('Repeats an earlier run')).toBeVisible()
})

test('new runs wait behind a button and rows change where they stand', async ({ page }) => {
  const workflow = await makeWorkflow(page, uniqueName('Quick'), { steps: [logStep('hello')] })
  await startRun(page, workflow.id)
  await page.goto(`/runs?workflow=${workflow.id}`)
  await expect(page.getByRole('row')).toHaveCount(2) // the head and one run
  await expect(page.getByText('Live')).toBeVisible()
  await startRun(page, workflow.id)
  await startRun(page, workflow.id)
  const fresh = page.getByRole('button', { name: '2 new runs' })
  await expect(fresh).toBeVisible()
  await expect(page.getByRole('row')).toHaveCount(2)
  await fresh.click()
  await expect(page.getByRole('row')).toHaveCount(4)
  await expect(fresh).toBeHidden()

  await page.getByLabel('Status').selectOption('failed')
  await expect(page).toHaveURL(/status=failed/)
  await expect(page.getByText('No run matches')).toBeVisible()
  await page.reload()
  await expect(page.getByText('No run matches')).toBeVisible()
})

test('tabs share one stream, and both are live', async ({ page, context }) => {
  const workflow = await makeWorkflow(page, uniqueName('Shared stream'), { steps: [logStep('hello')] })
  await startRun(page, workflow.id)
  const streams: string[] = []
  context.on('request', (request) => {
    if (request.url().includes('/api/v1/events')) streams.push(request.url())
  })
  await page.goto('/workflows')
  await expect(page.getByText('Live')).toBeVisible()
  const other = await context.newPage()
  await other.goto('/runs')
  await expect(other.getByText('Live')).toBeVisible()
  await expect(other.getByRole('row').nth(1)).toBeVisible()
  await startRun(page, workflow.id)
  await expect(other.getByRole('button', { name: '1 new run' })).toBeVisible()
  await expect(
    page.getByRole('row').filter({ hasText: workflow.name }).getByRole('img'),
  ).toHaveAccessibleName(/Last 2 runs/)
  expect(streams).toHaveLength(1)

  // The tab that leads is closed: the other goes on by itself.
  const again = other.waitForResponse(/\/api\/v1\/runs\?/) // what happened meanwhile is asked for once its stream begins
  await page.close()
  await again
  expect(streams).toHaveLength(2)
  await startRun(other, workflow.id)
  await expect(other.getByRole('button', { name: /new run/ })).toBeVisible()
})

test('without a connection the page says so, and comes back by itself', async ({ page, context }) => {
  await page.goto('/runs')
  await expect(page.getByText('Live')).toBeVisible()
  await context.setOffline(true)
  await page.getByLabel('Status').selectOption('held')
  await expect(page.getByText('The server cannot be reached.')).toBeVisible()
  await expect(page.getByRole('alert')).toContainText('No connection to the server')
  await context.setOffline(false)
  await expect(page.getByText('The server cannot be reached.')).toBeHidden()
  await expect(page.getByText('No run matches')).toBeVisible()
  await expect(page.getByText('Live')).toBeVisible({ timeout: 30_000 })
})

test('the list finds, enables and starts workflows', async ({ page }) => {
  const workflow = await makeWorkflow(page, uniqueName('Findable'), {
    triggers: [{ id: 'daily', type: 'schedule', cron: '0 9 * * *', timezone: 'Europe/Madrid' }],
    steps: [logStep('found')],
  })
  await page.goto('/workflows')
  await page.getByLabel('Search by name').fill(workflow.name)
  await expect(page).toHaveURL(/q=Findable/)
  const row = page.getByRole('row').filter({ hasText: workflow.name })
  await expect(page.getByRole('row')).toHaveCount(2)
  await expect(row).toContainText('Europe/Madrid')
  await row.getByRole('button', { name: /Run .* now/ }).click()
  await expect(page.getByRole('status').filter({ hasText: 'was started' })).toBeVisible()
  await expect(row.getByText('Succeeded')).toBeVisible() // live, in the list

  const disabled = page.waitForResponse(/\/disable$/)
  await row.getByRole('switch').click()
  await disabled
  await expect(row.getByText('Paused')).toBeVisible()
  await page.getByLabel('State').selectOption({ label: 'Active' })
  await expect(page.getByText('No workflow matches')).toBeVisible()
  await page.getByLabel('State').selectOption({ label: 'Paused' })
  await expect(row).toBeVisible()
})

test('publishing over somebody else is refused, with the changes kept', async ({ page }) => {
  const workflow = await makeWorkflow(page, uniqueName('Shared'), { steps: [logStep('one')] })
  await page.goto(`/workflows/${workflow.id}/edit`)
  await page.getByLabel('Description').fill('mine')
  await page.request.put(`/api/v1/workflows/${workflow.id}`, {
    data: { name: workflow.name, description: 'theirs', steps: [logStep('two')] },
  })
  await page.getByRole('button', { name: 'Publish', exact: true }).click()
  await expect(page.getByText('Version 2 was published in the meantime')).toBeVisible()
  await expect(page.getByLabel('Description')).toHaveValue('mine')
  await page.getByRole('button', { name: 'Show the difference' }).click()
  const dialog = page.getByRole('dialog')
  await expect(dialog.getByRole('list', { name: 'What changes' })).toContainText('Description changed')
  await dialog.getByText('Close').click()
  await page.getByRole('button', { name: 'Let it replace version 2' }).click()
  await expect(page.getByText('Version 2 was published in the meantime')).toBeHidden()
  await publish(page)
  await expect(page.getByRole('heading', { name: workflow.name })).toBeVisible()
  await expect(page.getByText('mine', { exact: true })).toBeVisible()
})

test('steps are ordered, copied and joined without ever closing a circle', async ({ page }) => {
  const workflow = await makeWorkflow(page, uniqueName('Graph'), {
    steps: [
      { ...logStep('a'), id: 'first' },
      { ...logStep('b'), id: 'second', depends_on: ['first'] },
    ],
  })
  await page.goto(`/workflows/${workflow.id}/edit`)
  await page.getByRole('button', { name: /first/ }).first().click()
  await expect(page.getByRole('checkbox', { name: /second/ })).toBeDisabled()
  await page.getByRole('button', { name: 'Duplicate “second”' }).click()
  await page.getByRole('button', { name: 'Move “second_2” up' }).click()
  await publish(page)
  await expect(page.getByText('Published as version 2')).toBeVisible()
  const saved = (await (await page.request.get(`/api/v1/workflows/${workflow.id}`)).json()) as {
    steps: { id: string; depends_on?: string[] }[]
  }
  expect(saved.steps.map((step) => step.id)).toEqual(['first', 'second_2', 'second'])
  expect(saved.steps[1]?.depends_on).toEqual(['first'])
})
