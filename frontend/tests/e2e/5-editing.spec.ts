// What people do with workflows: begin them, break them, find out why, mend them; edit them in every view; look back.
import { readFile } from 'node:fs/promises'
import {
  expect,
  expectAccessible,
  expectNoOverflow,
  logIn,
  logStep,
  makeWorkflow,
  publish,
  sink,
  startRun,
  test,
  uniqueName,
} from './support'

test.beforeEach(({ page }) => logIn(page))

test('from a template to a run, a failure, its cause, and on from the failed step', async ({ page }) => {
  await page.goto('/workflows')
  await page.getByRole('link', { name: 'Templates' }).click()
  await page.getByRole('link', { name: /^Health check/ }).click()
  // The template asks for what only its user knows.
  const url = page.getByLabel('URL', { exact: true })
  await expect(url).toBeFocused()
  const name = uniqueName('Health')
  await page.getByLabel('Name', { exact: true }).first().fill(name)
  await url.fill(`${sink}/ok`)
  await page.getByRole('button', { name: 'Create workflow' }).click()
  await expect(page.getByRole('heading', { name })).toBeVisible()
  await page.getByRole('button', { name: 'Run now' }).click()
  await expect(page.getByText('Succeeded').first()).toBeVisible()

  // It breaks.
  await page.getByRole('link', { name: /Workflow, version/ }).click()
  await page.getByRole('link', { name: 'Edit' }).click()
  await page
    .getByRole('button', { name: /Call the service/ })
    .first()
    .click()
  await url.fill(`${sink}/fail`)
  await page.getByText('Condition, time limit and retries').click()
  await page.getByLabel('Try again after a failure').uncheck()
  await publish(page)
  await expect(page.getByText('Published as version 2')).toBeVisible()
  await page.getByRole('button', { name: 'Run now' }).click()
  // The cause, without a search.
  await expect(page.getByRole('region', { name: 'Call the service' })).toContainText('out of paper')
  const failed = page.url()

  // It is mended, and goes on where it failed, with the mended version.
  await page.getByRole('link', { name: /Workflow, version/ }).click()
  await page.getByRole('link', { name: 'Versions' }).click()
  const second = page.getByRole('listitem').filter({ hasText: 'Version 2' })
  await expect(second).toContainText('step “Call the service” changed')
  await second.getByText('Version 2').click()
  await expect(second.getByRole('region', { name: 'Changes, line by line' })).toContainText('/fail')
  const first = page.getByRole('listitem').filter({ hasText: 'Version 1' })
  await first.getByText('Version 1').click()
  await first.getByRole('button', { name: 'Restore' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Restore' }).click()
  await expect(page.getByText('Saved as version 3')).toBeVisible()

  await page.goto(failed)
  const answer = await page.request.post(`/api/v1/runs/${failed.split('/').pop()?.split('?')[0]}/rerun`, {
    data: { from: 'failed', version: 'current' },
  })
  expect(answer.status()).toBe(202)
  const { id } = (await answer.json()) as { id: string }
  await page.goto(`/runs/${id}`)
  await expect(page.getByText('Succeeded').first()).toBeVisible()
})

test('a crontab becomes workflows, and a curl command a step', async ({ page }) => {
  await page.goto('/start')
  const backup = uniqueName('Backup')
  await page
    .getByRole('textbox', { name: 'Crontab' })
    .fill(
      [
        `# ${backup}`,
        `30 2 * * * curl -fsSL ${sink}/ok >/dev/null 2>&1`,
        'CRON_TZ=America/Bogota',
        `# ${backup} tidy`,
        '@daily /usr/bin/tidy --all',
        '0 25 * * * curl https://example.com',
        '@reboot /bin/true',
      ].join('\n'),
    )
  await expect(page.getByText('Every day at 02:30')).toBeVisible()
  await expect(page.getByText('America/Bogota').first()).toBeVisible()
  await expect(page.getByText('has no counterpart')).toBeVisible()
  await expect(page.getByRole('checkbox', { name: /curl https/ })).toBeDisabled()
  await expectAccessible(page, 'a crontab')
  await page.getByRole('button', { name: 'Create 2 workflows' }).click()
  await expect(page.getByRole('link', { name: 'Created' })).toHaveCount(2)
  await page.getByRole('link', { name: 'Created' }).nth(1).click()
  await expect(page.getByRole('heading', { name: `${backup} tidy` })).toBeVisible()
  await expect(page.getByText('Paused', { exact: true })).toBeVisible() // a shell command is not switched on

  await page.goto('/start?from=curl')
  const field = page.getByRole('textbox', { name: 'curl command' })
  await field.fill('curl -d @body.json https://example.com')
  await expect(page.getByText('comes from a file (@body.json)')).toBeVisible()
  await expect(page.getByRole('button', { name: 'Open in the editor' })).toBeDisabled()
  await field.fill(`curl -X PUT ${sink}/ok -H 'Content-Type: application/json' -d '{"a": 1}' -u ana:geheim`)
  await expect(page.getByText('holds a password')).toBeVisible()
  await page.getByRole('button', { name: 'Open in the editor' }).click()
  await expect(page.getByLabel('Method')).toHaveValue('PUT')
  await expect(page.getByLabel('JSON body')).toHaveValue(/"a": 1/)
  await page.reload() // nothing is lost
  await expect(page.getByLabel('Method')).toHaveValue('PUT')
  await page.getByLabel('Name', { exact: true }).first().fill(uniqueName('By curl'))
  await page.getByRole('button', { name: 'Create workflow' }).click()
  await page.getByRole('button', { name: 'Run now' }).click()
  await expect(page.getByText('Succeeded').first()).toBeVisible()
})

test('form, graph and text are views of one draft, with undo and a guard', async ({ page }) => {
  const workflow = await makeWorkflow(page, uniqueName('Views'), {
    steps: [
      { ...logStep('a'), id: 'one' },
      { ...logStep('b'), id: 'two', depends_on: ['one'] },
      { ...logStep('c'), id: 'three', depends_on: ['one'] },
    ],
  })
  await page.goto(`/workflows/${workflow.id}/edit`)
  await page.getByRole('button', { name: 'Graph' }).click()
  await expect(page).toHaveURL(/view=graph/)
  const graph = page.getByRole('group', { name: 'Graph of the steps' })
  const node = (name: string) => graph.getByRole('button', { name: new RegExp(`^${name},`) })
  await expect(node('one')).toHaveAttribute('aria-pressed', 'true')
  // By keyboard alone: to the step on the right, its form, another dependency.
  await node('one').focus()
  await page.keyboard.press('ArrowRight')
  await expect(node('two')).toBeFocused()
  await page.keyboard.press('ArrowDown')
  await expect(node('three')).toBeFocused()
  await expect(page.getByRole('heading', { name: 'three' })).toBeVisible()
  await page.getByRole('checkbox', { name: 'two' }).check()
  await expect(node('three')).toHaveAccessibleName(/After one, two/)
  await expectAccessible(page, 'the graph')

  await page.getByRole('button', { name: 'Source' }).click()
  const text = page.getByRole('textbox', { name: 'Definition as text' })
  await expect(text).toHaveValue(/depends_on:\n {6}- one\n {6}- two/)
  await text.fill((await text.inputValue()).replace('message: c', 'message: see'))
  await page.getByRole('button', { name: 'Form' }).click()
  await page.getByRole('button', { name: /three/ }).first().click()
  await expect(page.getByLabel('Message')).toHaveValue('see')
  await page.keyboard.press('Control+z')
  await expect(page.getByLabel('Message')).toHaveValue('c')
  await page.keyboard.press('Control+Shift+z')
  await expect(page.getByLabel('Message')).toHaveValue('see')

  // A text that is none is said with its line, and keeps the view.
  await page.getByRole('button', { name: 'Source' }).click()
  await text.fill('name: a\nsteps:\n  - id: x\n')
  await page.getByRole('button', { name: 'Form' }).click()
  await expect(page.getByText('A step is an object with an id and an action.')).toBeVisible()
  await expect(page.getByRole('button', { name: 'Line 3' })).toBeVisible()
  await page.getByRole('button', { name: 'Back to what could be read last' }).click()
  await expect(text).toHaveValue(/message: see/)

  // What the server refuses is shown at its line and at its field, and goes when it is mended.
  await text.fill((await text.inputValue()).replace('message: see', 'message: "{{ steps.nobody.x }}"'))
  await page.keyboard.press('Control+s')
  await expect(page.getByRole('button', { name: /Line \d+/ })).toBeVisible()
  await page.getByRole('button', { name: 'Form' }).click()
  await page.getByRole('alert').getByRole('button').first().click()
  await page.getByLabel('Message').last().fill('mended')
  await expect(page.getByRole('alert')).toBeHidden()

  // Leaving is asked about when it cannot be saved.
  await page.route('**/draft', (route) => route.abort('internetdisconnected'))
  await page.getByLabel('Message').last().fill('mended offline')
  await expect(page.getByText('Not saved: the server does not answer.')).toBeVisible()
  const asked = page.waitForEvent('dialog')
  const leaving = page.getByRole('link', { name: 'Runs', exact: true }).click()
  await (await asked).dismiss()
  await leaving
  await expect(page).toHaveURL(/edit/)
  await page.unroute('**/draft')
  await publish(page)
  await expect(page.getByText('Published as version 2')).toBeVisible()
})

test('one step is tried before anything is saved', async ({ page }) => {
  await page.goto('/workflows/new')
  await page.getByLabel('URL', { exact: true }).fill(`${sink}/ok?id={{ inputs.id }}`)
  await page.getByRole('button', { name: 'Try this step' }).click()
  const sample = page.getByLabel('Sample (JSON)')
  await sample.fill('{"inputs": ')
  await page.getByRole('button', { name: 'Run the step' }).click()
  await expect(page.getByText('Enter an object with inputs and steps')).toBeVisible()
  await sample.fill('{"inputs": {"id": 7}}')
  await page.getByRole('button', { name: 'Run the step' }).click()
  await expect(page.getByRole('region', { name: 'Output' })).toContainText('1.08')
  await expectAccessible(page, 'a tried step')
  await page.getByLabel('URL', { exact: true }).fill('http://10.255.255.1/')
  await page.getByRole('button', { name: 'Run the step' }).click()
  await expect(page.getByText('ORQ_EGRESS_ALLOW')).toBeVisible() // the guard holds for tests too
  expect(
    (
      (await (await page.request.get('/api/v1/runs?limit=1')).json()) as {
        items: { workflow_name: string }[]
      }
    ).items[0]?.workflow_name ?? '',
  ).not.toBe('test')
})

test('a schedule is edited across a change of the clock, with a calendar', async ({ page }) => {
  const calendar = uniqueName('Holidays')
  await page.goto('/calendars')
  await page.getByRole('button', { name: 'New calendar' }).first().click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Name').fill(calendar)
  const tomorrow = new Date(Date.now() + 36 * 3_600_000).toISOString().slice(0, 10)
  await dialog.getByRole('textbox', { name: 'Dates: add dates' }).fill(`${tomorrow}..${tomorrow} nonsense`)
  await dialog.getByRole('button', { name: 'Add' }).click()
  await expect(dialog.getByText('These are no dates: nonsense')).toBeVisible()
  await dialog.getByRole('button', { name: 'Save' }).click()
  await expect(page.getByRole('heading', { name: calendar })).toBeVisible()

  const workflow = await makeWorkflow(page, uniqueName('Clock'), {
    triggers: [{ id: 'night', type: 'schedule', cron: '0 9 * * *', timezone: 'Europe/Madrid' }],
    steps: [logStep('tick')],
  })
  await page.goto(`/workflows/${workflow.id}/edit`)
  const preview = page.getByRole('group', { name: 'Preview of the schedule' })
  await expect(preview).toContainText('Every day at 09:00')
  await expect(preview.getByText('Changes of the clock')).toBeHidden()
  await page.getByLabel('Time', { exact: true }).fill('02:30')
  await expect(preview).toContainText('Every day at 02:30')
  await expect(preview).toContainText('The clock jumps from 02:00 to 03:00')
  await page.getByText('More settings').click()
  await page.getByLabel('Local times that a clock change leaves out').selectOption('skip')
  await expect(preview).not.toContainText('runs at 03:00')
  await page.getByLabel('Calendar').selectOption(calendar)
  await expect(preview).toContainText(`(${calendar})`) // the date that is left out
  await page.getByLabel('Pause after failures in a row').fill('x')
  await page.getByRole('button', { name: 'Publish', exact: true }).click()
  await page
    .getByRole('alert')
    .getByRole('button', { name: /Pause after failures/ })
    .click()
  await expect(page.getByLabel('Pause after failures in a row')).toBeFocused()
  await page.keyboard.press('Control+a')
  await page.keyboard.type('3')
  await publish(page)
  await expect(page.getByText('Published as version 2')).toBeVisible()
  const saved = (await (await page.request.get(`/api/v1/workflows/${workflow.id}`)).json()) as {
    triggers: Record<string, unknown>[]
  }
  expect(saved.triggers[0]).toMatchObject({
    cron: '30 2 * * *',
    gap: 'skip',
    calendar,
    pause_after_failures: 3,
    timezone: 'Europe/Madrid',
  })
  // A calendar in use stays.
  await page.goto('/calendars')
  await page.getByRole('button', { name: `Delete “${calendar}”` }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click()
  await expect(page.getByRole('alert')).toContainText(workflow.name)
})

test('the past is explained, and run after all', async ({ page }) => {
  const workflow = await makeWorkflow(page, uniqueName('Past'), {
    triggers: [{ id: 'hourly', type: 'schedule', cron: '0 * * * *', timezone: 'Europe/Madrid' }],
    steps: [logStep('tick')],
  })
  await page.goto(`/workflows/${workflow.id}/occurrences`)
  await page.getByText('Why did it run, or not run, at a time?').click()
  const tomorrow = new Date(Date.now() + 86_400_000).toISOString().slice(0, 10)
  await page.getByLabel('Time (Europe/Madrid)').fill(`${tomorrow}T09:30`)
  await page.getByRole('button', { name: 'Explain' }).click()
  await expect(
    page
      .getByRole('status')
      .filter({ hasText: /does not match|not there|before/i })
      .first(),
  ).toBeVisible()
  await page.getByRole('button', { name: /^The one before/ }).click()
  await expect(page.getByLabel('Time (Europe/Madrid)')).toHaveValue(`${tomorrow}T09:00`)

  await page.getByRole('button', { name: 'Backfill…' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('From').fill('2026-11-20T08:30')
  await dialog.getByLabel('To', { exact: true }).fill('2026-11-20T11:00')
  await dialog.getByRole('button', { name: 'Show what would run' }).click()
  await expect(dialog.getByText('3 runs', { exact: true })).toBeVisible()
  await expectAccessible(page, 'a backfill')
  await dialog.getByRole('button', { name: 'Start 3 runs' }).click()
  const list = page.getByRole('region', { name: 'Backfills' })
  await expect(list).toContainText('3 of 3 done', { timeout: 30_000 })
  await page.getByRole('button', { name: 'Refresh' }).click()
  await expect(page.getByRole('row').filter({ hasText: 'A backfill ran it' })).toHaveCount(3)
  await expect(page.getByRole('row').filter({ hasText: 'Succeeded' })).toHaveCount(3)
  await page.getByLabel('From').fill('2026-11-21')
  await page.getByLabel('From').blur()
  await expect(page.getByText('No entry matches')).toBeVisible()
  await expect(page).toHaveURL(/from=2026-11-21/)
})

test('several workflows are run, paused and exported at once, and filters are kept as a view', async ({
  page,
}) => {
  const tag = uniqueName('Bulk')
  for (const n of [1, 2, 3])
    await makeWorkflow(page, `${tag} ${n}`, {
      triggers: [{ id: 'daily', type: 'schedule', cron: '0 9 * * *', timezone: 'Europe/Madrid' }],
      steps: [logStep('x')],
    })
  await page.goto('/workflows')
  await page.getByLabel('Search by name').fill(tag)
  await expect(page.getByRole('row')).toHaveCount(4)
  await page.getByRole('button', { name: 'Views', exact: true }).click()
  await page.getByRole('menuitem', { name: 'Save these filters…' }).click()
  await page.getByRole('dialog').getByLabel('Name').fill(tag)
  await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click()
  await page.goto('/workflows')
  await page.getByRole('button', { name: 'Views', exact: true }).click()
  await page.getByRole('menuitem', { name: tag }).click()
  await expect(page.getByRole('row')).toHaveCount(4)

  await page.getByRole('checkbox', { name: `Choose “${tag} 3”` }).check()
  await page.getByRole('checkbox', { name: `Choose “${tag} 1”` }).click({ modifiers: ['Shift'] })
  const bar = page.getByRole('region', { name: 'Chosen workflows' })
  await expect(bar).toContainText('3 chosen')
  await expectAccessible(page, 'chosen workflows')
  await bar.getByRole('button', { name: 'Run', exact: true }).click()
  await expect(bar).toContainText('3 runs were started')
  await expect(page.getByRole('row').filter({ hasText: 'Succeeded' })).toHaveCount(3)
  await bar.getByRole('button', { name: 'Pause' }).click()
  await expect(bar).toContainText('3 workflows were paused')
  await expect(page.getByRole('switch', { checked: false })).toHaveCount(3)

  const downloading = page.waitForEvent('download')
  await bar.getByRole('button', { name: 'Export' }).click()
  await page.getByRole('menuitem', { name: 'YAML' }).click()
  const file = await downloading
  expect(file.suggestedFilename()).toBe('workflows.yaml')
  const text = await readFile(await file.path(), 'utf8')
  expect(text.split('---\n')).toHaveLength(3)
  expect(text).toContain('cron: 0 9 * * *')
})

test('everything is reached by palette and shortcuts', async ({ page }) => {
  const workflow = await makeWorkflow(page, uniqueName('Encontrable'), { steps: [logStep('x')] })
  await page.goto('/runs')
  await expect(page.getByRole('heading', { name: 'Runs' })).toBeVisible()
  await page.keyboard.press('Control+k')
  const field = page.getByRole('combobox', { name: 'Workflow, page or command' })
  await expect(field).toBeFocused()
  await expectAccessible(page, 'the palette')
  await page.keyboard.type('settings')
  await expect(page.getByRole('option', { name: 'Settings' })).toHaveAttribute('aria-selected', 'true')
  await page.keyboard.press('Enter')
  await expect(page.getByRole('heading', { name: 'Settings' })).toBeVisible()
  await page.keyboard.press('Control+k')
  await page.keyboard.type(workflow.name)
  await expect(page.getByRole('option', { name: workflow.name, exact: true })).toHaveAttribute(
    'aria-selected',
    'true',
  )
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('Enter')
  await expect(page.getByRole('status').filter({ hasText: 'was started' })).toBeVisible()

  await page.keyboard.press('?')
  await expect(page.getByRole('dialog', { name: 'Keyboard shortcuts' })).toBeVisible()
  await expectAccessible(page, 'the shortcuts')
  await page.keyboard.press('Escape')
  await page.keyboard.press('g')
  await page.keyboard.press('w')
  await expect(page.getByRole('heading', { name: 'Workflows', exact: true })).toBeVisible()
  await page.keyboard.press('/')
  await expect(page.getByLabel('Search by name')).toBeFocused()
  await page.keyboard.type('n?') // text, not shortcuts
  await expect(page.getByLabel('Search by name')).toHaveValue('n?')

  await page.goto('/settings')
  await page.getByLabel('Shortcuts of single keys').uncheck()
  await page.getByRole('heading', { name: 'Settings' }).click()
  await page.keyboard.press('?')
  await expect(page.getByRole('dialog')).toBeHidden()
})

test('times are shown in the zone that is chosen, and other sessions are ended', async ({
  page,
  browser,
}) => {
  const workflow = await makeWorkflow(page, uniqueName('Zoned'), { steps: [logStep('x')] })
  await startRun(page, workflow.id)
  await page.goto('/settings')
  await page.getByLabel('Time zone of what is shown').fill('Nowhere/Land')
  await expect(page.getByText('This time zone is not known')).toBeVisible()
  await page.getByLabel('Time zone of what is shown').fill('Asia/Tokyo')
  await expect(page.getByText(/in Asia\/Tokyo/)).toBeVisible()

  const other = await browser.newPage({ baseURL: process.env.ORQ_E2E_URL })
  await logIn(other)
  await page.reload()
  await expect(page.getByLabel('Time zone of what is shown')).toHaveValue('Asia/Tokyo')
  const sessions = page.getByRole('region', { name: 'Where you are logged in' })
  await expect(sessions.getByText('this one')).toHaveCount(1)
  await sessions
    .getByRole('button', { name: /^Log out Chrome/ })
    .first()
    .click()
  await expect(page.getByText('1 session was ended')).toBeVisible()
  expect((await other.request.get('/api/v1/auth/me')).status()).toBe(401)
  await other.close()
})

test.describe('on a phone', () => {
  test.use({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, locale: 'es-ES' })

  test('a workflow is made from a template and edited, in Spanish', async ({ page }) => {
    await page.goto('/start')
    await expectNoOverflow(page, 'the start')
    await page.getByRole('link', { name: /^Hola/ }).tap()
    await expectNoOverflow(page, 'the editor')
    const name = uniqueName('Saludo')
    await page.getByLabel('Nombre', { exact: true }).first().fill(name)
    await page.getByRole('button', { name: 'Grafo' }).tap()
    await expectNoOverflow(page, 'the graph')
    await page.getByRole('button', { name: /^Repetirlo/ }).tap()
    await expect(page.getByRole('checkbox', { name: 'Saludar' })).toBeChecked()
    await page.getByRole('button', { name: 'Código' }).tap()
    await expectNoOverflow(page, 'the text')
    await expect(page.getByRole('textbox', { name: 'Definición en texto' })).toHaveValue(
      /Hola desde Orquestador/,
    )
    await page.getByRole('button', { name: 'Crear flujo' }).tap()
    await expect(page.getByRole('heading', { name })).toBeVisible()
    await page.getByRole('button', { name: 'Ejecutar ahora' }).tap()
    await expect(page.getByText('Correcta').first()).toBeVisible()
    await page.getByRole('button', { name: 'Buscar y comandos' }).tap()
    await page.getByRole('combobox', { name: 'Flujo, página o comando' }).fill('calend')
    await page.getByRole('option', { name: 'Calendarios' }).tap()
    await expect(page.getByRole('heading', { name: 'Calendarios' })).toBeVisible()
    await expectNoOverflow(page, 'the calendars')
  })
})
