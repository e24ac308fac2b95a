import {
  expect,
  expectNoOverflow,
  httpStep,
  logIn,
  logStep,
  makeWorkflow,
  startRun,
  test,
  uniqueName,
} from './support'

test.describe('in Spanish', () => {
  test.use({ locale: 'es-ES' })

  test('everything is said in Spanish, from the browser’s language on', async ({ page }) => {
    await logIn(page)
    const name = uniqueName('Aviso diario')
    await page.goto('/workflows')
    await expect(page.locator('html')).toHaveAttribute('lang', 'es')
    await page.getByRole('link', { name: 'Nuevo flujo' }).first().click()
    await page.getByLabel('Nombre', { exact: true }).first().fill(name)
    const trigger = page
      .getByRole('listitem')
      .filter({ has: page.getByRole('heading', { name: 'Disparador 1' }) })
    await trigger.getByLabel('Cuándo').selectOption({ label: 'Días de la semana' })
    await trigger.getByRole('button', { name: 'viernes' }).click()
    await expect(trigger.getByLabel('Expresión cron', { exact: true })).toHaveValue('0 9 * * MON,TUE,WED,THU')
    await expect(trigger.getByRole('group', { name: 'Vista previa del horario' })).toContainText(
      'Próximas ejecuciones · Europe/Madrid',
    )

    // An expression that cannot be: said while it is written, and again when it is saved.
    await trigger.getByLabel('Expresión cron', { exact: true }).fill('0 25 * * *')
    await expect(trigger.getByRole('group', { name: 'Vista previa del horario' })).toContainText(
      'La expresión cron no se entiende.',
    )
    await page.getByLabel('URL', { exact: true }).fill('https://example.com')
    await page.getByRole('button', { name: 'Crear flujo' }).click()
    await expect(page.getByRole('alert')).toContainText('Disparador 1 · Expresión cron')
    await page.getByRole('alert').getByRole('button').first().click()
    await expect(trigger.getByLabel('Expresión cron', { exact: true })).toBeFocused()
    await page.keyboard.press('Control+a')
    await page.keyboard.type('0 9 * * MON-FRI')
    await page.getByRole('button', { name: 'Crear flujo' }).click()
    await expect(page.getByRole('heading', { name })).toBeVisible()
    await expect(page.getByText('Activo', { exact: true })).toBeVisible()

    await page.getByRole('button', { name: 'Cuenta y ajustes' }).click()
    await page.getByRole('menuitemradio', { name: 'English' }).click()
    await expect(page.locator('html')).toHaveAttribute('lang', 'en')
    await page.getByRole('menuitemradio', { name: 'Dark' }).click()
    await expect(page.locator('html')).toHaveClass(/dark/)
    await page.keyboard.press('Escape')
    await page.reload()
    await expect(page.getByRole('link', { name: 'Definition' })).toBeVisible() // remembered
    await expect(page.locator('html')).toHaveClass(/dark/)
  })
})

test.describe('on a phone', () => {
  test.use({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true })

  test('see that a run failed, read why, run it again, mend the workflow', async ({ page }) => {
    await logIn(page)
    const workflow = await makeWorkflow(page, uniqueName('A workflow with quite a long name for a phone'), {
      steps: [httpStep('/fail'), { ...logStep('after'), depends_on: ['fetch'] }],
    })
    await startRun(page, workflow.id)
    await page.goto('/workflows')
    const card = page.getByRole('listitem').filter({ hasText: workflow.name })
    await card.getByRole('link', { name: 'Failed' }).tap()
    await expect(page.getByText('500').first()).toBeInViewport()
    await expectNoOverflow(page, 'run')
    await page.getByRole('button', { name: 'Rerun', exact: true }).tap()
    await page.getByRole('menuitem', { name: 'Everything' }).tap()
    await expect(page.getByText('Repeats an earlier run')).toBeVisible()

    await page.getByRole('link', { name: /Workflow, version/ }).tap()
    await page.getByRole('link', { name: 'Edit' }).tap()
    await page
      .getByRole('button', { name: /Fetch the rate/ })
      .first()
      .tap()
    await page.getByLabel('Expected status').fill('500')
    await page.getByRole('button', { name: 'Add log message' }).tap()
    await expect(page.getByLabel('Name optional').last()).toBeFocused()
    await page.getByLabel('Message').last().fill('mended')
    await expectNoOverflow(page, 'editor')
    await page.getByRole('button', { name: 'Publish', exact: true }).tap()
    await page.getByRole('dialog').getByRole('button', { name: 'Publish' }).tap()
    await expect(page.getByRole('heading', { name: workflow.name })).toBeVisible()
    await page.getByRole('button', { name: 'Run now' }).tap()
    await expect(page.getByText('Succeeded').first()).toBeVisible()
  })
})
