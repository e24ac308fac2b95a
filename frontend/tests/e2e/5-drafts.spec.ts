// Drafts: what is typed is kept without being published, can be run, is looked at and becomes what runs.
import {
  expect,
  expectAccessible,
  expectNoOverflow,
  logIn,
  logStep,
  makeWorkflow,
  sink,
  startRun,
  test,
  uniqueName,
} from './support'

test.beforeEach(({ page }) => logIn(page))

test('an edit survives a reload, is run as a draft, and is published with its differences', async ({
  page,
}) => {
  const workflow = await makeWorkflow(page, uniqueName('Drafted'), {
    triggers: [{ id: 'daily', type: 'schedule', cron: '0 9 * * *', timezone: 'Europe/Madrid' }],
    steps: [logStep('before')],
  })
  await startRun(page, workflow.id)
  await page.goto(`/workflows/${workflow.id}/edit`)
  await page.getByLabel('Message').fill('after')
  await page.reload() // at once: nothing has been saved yet
  await expect(page.getByLabel('Message')).toHaveValue('after')
  await expect(page.getByText(/^Saved as draft/)).toBeVisible()
  const saved = page.waitForResponse((answer) => answer.request().method() === 'PUT')
  await page.getByLabel('Time', { exact: true }).fill('09:30')
  await saved
  await expect(page.getByText(/^Saved as draft/)).toBeVisible()
  await expectAccessible(page, 'a draft')

  await page.getByRole('button', { name: 'Run the draft' }).click()
  await expect(page.getByText('Succeeded').first()).toBeVisible()
  await expect(page.getByRole('log')).toContainText('after')
  const run = page.url()

  // It counts nowhere, and is found by who looks for it.
  await page.goto(`/workflows/${workflow.id}`)
  await expect(page.getByRole('region', { name: 'Draft' })).toContainText('has a draft that is not published')
  await expect(page.getByRole('row').filter({ hasText: 'Succeeded' })).toHaveCount(1)
  await page.getByLabel('Runs of drafts').selectOption('Only draft runs')
  await expect(page.getByRole('row').filter({ hasText: 'Draft' })).toHaveCount(1)
  await expectAccessible(page, 'a workflow with a draft')

  await page.getByRole('link', { name: 'Continue the draft' }).click()
  await page.getByRole('button', { name: 'Publish', exact: true }).click()
  const dialog = page.getByRole('dialog', { name: 'Publish as version 2' })
  const changes = dialog.getByRole('list', { name: 'What changes' })
  await expect(changes).toContainText('trigger “daily” changed')
  await expect(changes).toContainText('step “note” changed')
  const moved = dialog.getByRole('list', { name: 'Runs that move' })
  await expect(moved).toContainText('09:00')
  await expect(moved).toContainText('09:30')
  await dialog.getByText('Changes, line by line').click()
  await expect(dialog.getByRole('region', { name: 'Changes, line by line' })).toContainText('after')
  await expectAccessible(page, 'the dialog to publish')
  await dialog.getByRole('button', { name: 'Publish' }).click()
  await expect(page.getByText('Published as version 2')).toBeVisible()
  await expect(page.getByRole('region', { name: 'Draft' })).toBeHidden()
  await page.getByRole('link', { name: 'Versions' }).click()
  await expect(page.getByRole('listitem').filter({ hasText: 'Version 2' })).toContainText(
    'step “note” changed',
  )

  await page.goto(run) // still what it ran
  await page.getByRole('button', { name: 'Rerun', exact: true }).click()
  await expect(page.getByRole('menuitemradio', { name: 'The draft as it was' })).toBeVisible()
})

test('a new workflow is kept before it can run, and is created when it is ready', async ({ page }) => {
  const name = uniqueName('Half')
  await page.goto('/workflows/new')
  await page.getByLabel('Name', { exact: true }).first().fill(name)
  await expect(page).toHaveURL(/\/workflows\/[0-9a-f-]{36}\/edit$/)
  const field = page.getByLabel('Name', { exact: true }).first()
  await expect(field).toBeFocused() // it got an address, and nothing else
  await page.getByRole('button', { name: /^\d things? to mend|^One thing to mend/ }).click()
  await expect(page.getByRole('alert')).toContainText('URL')
  await page.getByRole('link', { name: 'Workflows', exact: true }).first().click()
  const row = page.getByRole('row').filter({ hasText: name })
  await expect(row).toContainText('Draft')
  await expect(row.getByRole('switch')).toHaveCount(0)
  await row.getByRole('link', { name }).click()
  await expect(page.getByText('So far this workflow is a draft')).toBeVisible()
  await expectAccessible(page, 'a workflow that is only a draft')
  await page.getByRole('link', { name: 'Continue the draft' }).click()
  await page.getByLabel('URL', { exact: true }).fill(`${sink}/ok`)
  await page.getByRole('button', { name: 'Run the draft' }).click()
  await expect(page.getByText('Succeeded').first()).toBeVisible()
  await page.getByRole('link', { name: 'Draft of the workflow' }).click()
  await page.getByRole('button', { name: 'Create workflow' }).click()
  await expect(page.getByText('The workflow was created')).toBeVisible()
  await expect(page.getByRole('heading', { name })).toBeVisible()
  await expect(page.getByRole('button', { name: 'Run now' })).toBeVisible()
})

test('two tabs do not overwrite each other, and a draft is discarded', async ({ page, context }) => {
  const workflow = await makeWorkflow(page, uniqueName('Tabs'), { steps: [logStep('start')] })
  await page.goto(`/workflows/${workflow.id}/edit`)
  const other = await context.newPage()
  await other.goto(`/workflows/${workflow.id}/edit`)
  await page.getByLabel('Message').fill('mine')
  await expect(page.getByText(/^Saved as draft/)).toBeVisible()
  await other.getByLabel('Message').fill('theirs')
  const conflict = (tab: typeof page) => tab.getByText('Somebody else changed this draft in the meantime')
  await expect(conflict(other)).toBeVisible()
  await expectAccessible(other, 'a conflict')
  await expect(other.getByLabel('Message')).toHaveValue('theirs')
  await other.getByRole('button', { name: 'Keep mine' }).click()
  await expect(other.getByText(/^Saved as draft/)).toBeVisible()
  await expect(conflict(other)).toBeHidden()

  await page.getByLabel('Message').fill('mine again')
  await expect(conflict(page)).toBeVisible()
  await page.getByRole('button', { name: 'Load theirs' }).click()
  await expect(page.getByLabel('Message')).toHaveValue('theirs')

  await page.getByRole('button', { name: 'Discard the draft' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Discard the draft' }).click()
  await expect(page.getByText('The draft was discarded')).toBeVisible()
  await expect(page.getByLabel('Message')).toHaveValue('start')
  await other.close()
})

test('a delivery of a webhook is tried on a draft', async ({ page }) => {
  const workflow = await makeWorkflow(page, uniqueName('Hooked'), {
    triggers: [{ id: 'hook', type: 'webhook' }],
    steps: [logStep('published')],
  })
  const [trigger] = (workflow as unknown as { triggers: { url: string }[] }).triggers
  expect((await page.request.post(trigger?.url ?? '', { data: { n: 7 } })).status()).toBe(202)
  const saved = await page.request.put(`/api/v1/workflows/${workflow.id}/draft`, {
    data: {
      definition: {
        name: workflow.name,
        triggers: [{ id: 'hook', type: 'webhook' }],
        steps: [logStep('drafted {{ inputs.body.n }}')],
      },
    },
  })
  expect(saved.status(), await saved.text()).toBe(200)
  await page.goto(`/workflows/${workflow.id}/definition`)
  await page.getByRole('button', { name: 'On the draft' }).click()
  await page.getByRole('status').getByRole('link').click()
  await expect(page.getByRole('log')).toContainText('drafted 7')
})

test.describe('on a phone', () => {
  test.use({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, locale: 'es-ES' })

  test('a draft is written and published, in Spanish', async ({ page }) => {
    const workflow = await makeWorkflow(page, uniqueName('Móvil'), { steps: [logStep('antes')] })
    await page.goto(`/workflows/${workflow.id}/edit`)
    await page.getByLabel('Mensaje').fill('después')
    await expect(page.getByText(/^Guardado como borrador/)).toBeVisible()
    await expectNoOverflow(page, 'the editor with a draft')
    await page.getByRole('button', { name: 'Publicar' }).tap()
    const dialog = page.getByRole('dialog', { name: 'Publicar como versión 2' })
    await expect(dialog.getByText('Las próximas ejecuciones programadas siguen igual.')).toBeVisible()
    await expectNoOverflow(page, 'the dialog to publish')
    await expectAccessible(page, 'the dialog to publish, in Spanish')
    await dialog.getByRole('button', { name: 'Publicar' }).tap()
    await expect(page.getByText('Publicado como versión 2')).toBeVisible()
    await expectNoOverflow(page, 'the workflow')
  })
})
