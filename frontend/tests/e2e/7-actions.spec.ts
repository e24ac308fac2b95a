// What people automate beyond a call: a question, other workflows, a list, data. Made in the editor, by its forms.
import { expect, logIn, logStep, makeWorkflow, startRun, test, uniqueName } from './support'

test.beforeEach(async ({ page }) => logIn(page))

test('a list is gone through once somebody approves', async ({ page }) => {
  const child = uniqueName('One customer')
  await makeWorkflow(page, child, {
    inputs: { properties: { id: { type: 'integer' } } },
    steps: [logStep('customer {{ inputs.id }}')],
    outputs: { id: '{{ inputs.id }}' },
  })
  const name = uniqueName('All customers')
  await page.goto('/workflows/new')
  await page.getByLabel('Name', { exact: true }).first().fill(name)
  await page.getByRole('button', { name: 'Remove “request”' }).click()
  await page.getByRole('button', { name: 'Remove trigger' }).first().click()

  // A value, by JSON that may be a template.
  await page.getByRole('button', { name: 'Add another action' }).click()
  await page.getByRole('menuitem', { name: /Transform data/ }).click()
  await page.getByLabel('Value').fill('{"ids": [1, 2')
  await page.getByRole('button', { name: 'Create workflow' }).click()
  await expect(page.getByText('This is not valid JSON').first()).toBeVisible()
  await page.getByLabel('Value').fill('{"ids": [1, 2, 3]}')

  await page.getByRole('button', { name: 'Add another action' }).click()
  await page.getByRole('menuitem', { name: /Ask for approval/ }).click()
  const question = page.getByLabel('Question')
  await question.fill('Write to {{ len(tra')
  await page.getByRole('option', { name: 'steps.transform', exact: false }).first().click()
  await expect(question).toHaveValue('Write to {{ len(steps.transform')
  await question.fill('Write to {{ len(steps.transform.ids) }} customers?')

  await page.getByRole('button', { name: 'Add another action' }).click()
  await page.getByRole('menuitem', { name: /Run another workflow/ }).click()
  await page.getByLabel('Workflow', { exact: true }).fill(child)
  await page.getByLabel('For each item of').fill('{{ steps.transform.ids }}')
  await page
    .getByLabel(/^Inputs/)
    .last()
    .fill('{"id": "{{ each.item }}"}')
  await page.getByRole('button', { name: 'Create workflow' }).click()

  await page.getByRole('button', { name: 'Run now' }).click()
  await expect(page.getByText('Waits for approval').first()).toBeVisible()
  await page.getByRole('button', { name: 'Account and settings' }).click()
  await page.getByRole('menuitem', { name: 'Approvals' }).click()
  const item = page.getByRole('listitem').filter({ hasText: name })
  await expect(item.getByText('Write to 3 customers?')).toBeVisible()
  await item.getByLabel('Why').fill('it is Monday')
  await item.getByRole('button', { name: 'Approve' }).click()
  await expect(item).toHaveCount(0)
  await page.getByRole('button', { name: 'All', exact: true }).click()
  await expect(item.getByText('Approved by Ana: it is Monday')).toBeVisible()
  await item.getByRole('link', { name }).click()
  await expect(page.getByText('Succeeded').first()).toBeVisible()
  await expect(page.getByRole('heading', { name: 'Runs that it started' })).toBeVisible()
  await expect(page.getByRole('link', { name: child })).toHaveCount(3)
  await page.getByRole('link', { name: child }).first().click()
  await expect(page.getByRole('link', { name: 'Started by a step of another run' })).toBeVisible()
})

test('a rejection is answered by another step', async ({ page }) => {
  const { id } = await makeWorkflow(page, uniqueName('Pay'), {
    steps: [
      { id: 'ask', action: 'approval', config: { message: 'Pay?' }, on_error: 'fallback', fallback: 'tell' },
      {
        id: 'tell',
        ...{ action: 'log_message', config: { message: 'rejected: {{ steps.ask.error.message }}' } },
      },
    ],
  })
  const run = await startRun(page, id, { wait: false })
  await page.goto(`/runs/${run}`)
  await page.getByLabel('Why').fill('too much')
  await page.getByRole('button', { name: 'Reject' }).click()
  await expect(page.getByText('rejected by Ana: too much').first()).toBeVisible()
  await expect(page.getByText('Succeeded').first()).toBeVisible()
})

test('somebody without an account approves by the link in a message', async ({ page, browser }) => {
  const { id } = await makeWorkflow(page, uniqueName('Pay'), {
    steps: [
      logStep('decide at {{ approvals.ask }}'),
      { id: 'ask', action: 'approval', depends_on: ['note'], config: { message: 'Pay 12 €?' } },
    ],
  })
  const run = await startRun(page, id, { wait: false })
  await page.goto(`/runs/${run}`)
  await expect(page.getByText('Waits for approval').first()).toBeVisible()
  const lines = (await (await page.request.get(`/api/v1/runs/${run}/logs`)).json()) as {
    items: { message: string }[]
  }
  const link = /decide at (\S+)/.exec(lines.items.map(({ message }) => message).join('\n'))?.[1] ?? ''
  const stranger = await (await browser.newContext()).newPage()
  await stranger.goto(link)
  await expect(stranger.getByText('Pay 12 €?')).toBeVisible()
  await stranger.getByRole('button', { name: 'Approve' }).click()
  await expect(stranger.getByText('Say who you are')).toBeVisible()
  await stranger.getByLabel('Your name').fill('Eva')
  await stranger.getByRole('button', { name: 'Approve' }).click()
  await expect(stranger.getByText('Approved by Eva (link)')).toBeVisible()
  await stranger.goto(link.slice(0, -2))
  await expect(stranger.getByText('There is no question here').first()).toBeVisible()
  await stranger.context().close()
  await expect(page.getByText('Succeeded').first()).toBeVisible()
})
