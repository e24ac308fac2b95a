// The audit log: what somebody changes is found there, with who and what it was before, is taken home as a file, and verified.
import { readFile } from 'node:fs/promises'
import { account, expect, logIn, logStep, makeWorkflow, test, uniqueName } from './support'

test('a change is found in the audit log, exported and verified', async ({ page }) => {
  await logIn(page)
  const before = uniqueName('Figures')
  const after = uniqueName('Better figures')
  const workflow = await makeWorkflow(page, before, { steps: [logStep('x')] })
  const saved = await page.request.put(`/api/v1/workflows/${workflow.id}`, {
    data: { name: after, steps: [logStep('y')] },
  })
  expect(saved.status(), await saved.text()).toBe(200)

  await page.goto('/administration')
  await page.getByRole('link', { name: 'Audit log' }).click()
  await page.getByLabel('What', { exact: true }).selectOption({ label: 'Changed a workflow' })
  await expect(page).toHaveURL(/action=workflow\.update/)
  const table = page.getByRole('table', { name: 'Audit log' })
  const row = table.getByRole('row').filter({ hasText: after })
  await expect(row).toContainText(account.username)
  await expect(row).toContainText('Changed a workflow')
  await row.getByRole('button', { name: /^Details of entry/ }).press('Enter')
  await expect(table.getByText('before:').first()).toBeAttached()
  await expect(table).toContainText(before)
  await expect(table).toContainText('/steps/note')
  await expect(table).toContainText('127.0.0.1')

  // Only what was done to this one; the address can be handed on.
  await table.getByRole('button', { name: 'Only what was done to this' }).click()
  await page.getByLabel('What', { exact: true }).selectOption({ label: 'Any change' })
  await expect(page).toHaveURL(new RegExp(`object=${workflow.id}`))
  await expect(table.getByRole('button', { name: /^Details of entry/ })).toHaveCount(2)
  await page.reload()
  await expect(table).toContainText('Created a workflow')

  const [file] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'JSON lines' }).click(),
  ])
  const lines = (await readFile(await file.path(), 'utf8')).trim().split('\n')
  expect(file.suggestedFilename()).toBe('audit.jsonl')
  expect(lines.map((line) => (JSON.parse(line) as { action: string }).action)).toEqual([
    'workflow.create',
    'workflow.update',
  ])

  await page.getByRole('button', { name: 'Verify now' }).click()
  await expect(page.getByText('The audit log is whole')).toBeVisible()
  await expect(page.getByText(/vouches for everything up to entry/)).toBeVisible()
  await page.getByRole('button', { name: 'Clear filters' }).click()
  await expect(table).toContainText('Verified the audit log')

  // It leads to what was changed.
  await page.goto(`/administration/audit?object=${workflow.id}`)
  await table.getByRole('link', { name: after }).first().click()
  await expect(page.getByRole('heading', { name: after })).toBeVisible()
})

test('what was tampered with is said so that nobody misses it', async ({ page }) => {
  await logIn(page)
  const place = (number: number) => ({ number, at: '2026-03-04T05:06:07.000Z', hash: 'a'.repeat(64) })
  const report = {
    ok: false,
    entries: 41,
    first: place(1),
    last: place(41),
    sealed_through: 41,
    seals_checked: true,
    unknown_seals: 0,
    cut_through: 0,
    broken: { number: 42, problem: 'altered', message: 'x' },
  }
  await page.route('**/api/v1/audit/verification', (route) =>
    route.fulfill({
      contentType: 'application/x-ndjson',
      body: `{"checked":20,"of":100}\n${JSON.stringify(report)}\n`,
    }),
  )
  await page.goto('/administration/audit')
  await page.getByRole('button', { name: 'Verify now' }).click()
  await expect(page.getByText('The audit log was tampered with')).toBeVisible()
  await expect(page.getByText('Entry 42 does not say what it said when it was written.')).toBeVisible()
})

test('a project’s owners see its part of the log, and others do not', async ({ page }) => {
  await logIn(page)
  const name = uniqueName('Audited')
  const made = await page.request.post('/api/v1/projects', { data: { name } })
  const { id } = (await made.json()) as { id: string }
  await makeWorkflow(page, uniqueName('Inside'), { project_id: id, steps: [logStep('x')] })
  await page.goto(`/projects/${id}`)
  await page.getByRole('link', { name: 'Audit log' }).click()
  const table = page.getByRole('table', { name: 'Audit log' })
  await expect(table.getByRole('button', { name: /^Details of entry/ })).toHaveCount(2)
  await expect(table).toContainText('Created a project')
  await expect(page.getByRole('button', { name: 'Verify now' })).toHaveCount(0)
})
