// Projects that several people share, and what administrators do about accounts.
import type { Browser, Page } from '@playwright/test'
import { account, expect, logIn, logStep, makeWorkflow, test, uniqueName } from './support'

/** Somebody in a browser of their own. */
async function elsewhere(browser: Browser): Promise<Page> {
  const context = await browser.newContext({ baseURL: process.env.ORQ_E2E_URL })
  return context.newPage()
}

/** A project by the API, with a workflow in it. */
async function share(page: Page) {
  await logIn(page)
  const name = uniqueName('Payments')
  const made = await page.request.post('/api/v1/projects', { data: { name } })
  expect(made.status(), await made.text()).toBe(201)
  const { id } = (await made.json()) as { id: string }
  const workflow = await makeWorkflow(page, uniqueName('Pay'), { project_id: id, steps: [logStep('paid')] })
  return { id, name, workflow }
}

/** Makes an account by the API. */
async function join(page: Page, name: string, invitation?: string) {
  const email = `${name.replaceAll(' ', '.')}@example.com`
  const data = { email, username: name, password: account.password, invitation }
  const made = await page.request.post('/api/v1/auth/register', { data })
  expect(made.status(), await made.text()).toBe(201)
  return { email, username: name, password: account.password }
}

test('an invitation lets somebody in, who may do what the role says', async ({ page, browser }) => {
  const project = await share(page)
  await page.goto('/')
  await page.getByRole('button', { name: 'Project: All projects' }).locator('visible=true').click()
  await page.getByRole('menuitem', { name: project.name }).click()
  await page.getByRole('link', { name: 'Workflows', exact: true }).first().click()
  await expect(page.getByRole('link', { name: project.workflow.name })).toBeVisible()
  await expect(page.getByRole('table').getByRole('row')).toHaveCount(2) // nothing of other projects

  await page.goto(`/projects/${project.id}`)
  await page.getByRole('button', { name: 'Invite somebody' }).click()
  await page.getByRole('button', { name: 'Make the link' }).click()
  const link = await page.getByLabel('Link', { exact: true }).inputValue()
  await page.getByRole('dialog').getByRole('button', { name: 'Close' }).first().click()
  await expect(page.getByRole('list', { name: 'Open invitations' })).toContainText('Whoever has the link')

  // Somebody without an account, in another browser.
  const guest = await elsewhere(browser)
  const name = uniqueName('Bea')
  await guest.goto(link)
  await expect(guest.getByText(`Ana invites you to the project “${project.name}”, as viewer.`)).toBeVisible()
  await guest.getByLabel('E-mail').fill(`${name.replaceAll(' ', '.')}@example.com`)
  await guest.getByLabel('Name').fill(name)
  await guest.getByLabel('Password').fill(account.password)
  await guest.getByRole('button', { name: 'Create an account' }).click()
  await expect(guest.getByRole('heading', { name: 'Dashboard' })).toBeVisible()

  // They see the workflow, and what a viewer may not do is not there.
  await guest.goto(`/workflows/${project.workflow.id}`)
  await expect(guest.getByRole('heading', { name: project.workflow.name })).toBeVisible()
  await expect(guest.getByRole('button', { name: 'Run now' })).toHaveCount(0)
  await expect(guest.getByRole('link', { name: 'Edit' })).toHaveCount(0)
  await expect(guest.getByRole('switch')).toBeDisabled()
  await expect(guest.getByRole('switch')).toHaveAttribute('title', /Your role in this project/)

  await page.reload() // the new member is there
  await page.getByLabel(`Role of ${name}`).selectOption('operator')
  await expect(page.getByText(`${name} is now operator`)).toBeVisible()

  await guest.reload()
  await guest.getByRole('button', { name: 'Run now' }).click()
  await expect(guest).toHaveURL(/\/runs\//)
  await expect(guest.getByText('Succeeded').first()).toBeVisible()
  await expect(guest.getByRole('link', { name: 'Edit' })).toHaveCount(0)
  await guest.context().close()
})

test('an invitation is for one person, and taken back', async ({ page, browser }) => {
  const project = await share(page)
  await page.goto(`/projects/${project.id}`)
  await page.getByRole('button', { name: 'Invite somebody' }).click()
  await page.getByRole('button', { name: 'Make the link' }).click()
  const link = await page.getByLabel('Link', { exact: true }).inputValue()
  await page.getByRole('dialog').getByRole('button', { name: 'Close' }).first().click()

  // Whoever is logged in joins with a click.
  const guest = await elsewhere(browser)
  const ben = await join(guest, uniqueName('Ben'))
  await logIn(guest, ben)
  await guest.goto(link)
  await guest.getByRole('button', { name: 'Join the project' }).click()
  await expect(guest.getByText(`You are in ${project.name} now`)).toBeVisible()
  await expect(guest.getByRole('button', { name: `Project: ${project.name}` })).toBeVisible()
  await guest.goto(link)
  await expect(guest.getByRole('alert')).toContainText('used already')
  await guest.context().close()

  await page.getByRole('button', { name: 'Invite somebody' }).click()
  await page.getByLabel('E-mail').fill('no address')
  await page.getByRole('button', { name: 'Make the link' }).click()
  await expect(page.getByText('is not an e-mail address')).toBeVisible()
  await page.getByLabel('E-mail').fill('cleo@example.com')
  await page.getByRole('button', { name: 'Make the link' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Close' }).first().click()
  await page.getByRole('button', { name: 'Take back (cleo@example.com)' }).click()
  await expect(page.getByText('The invitation was taken back')).toBeVisible()
  await expect(page.getByRole('list', { name: 'Open invitations' })).toHaveCount(0)
})

test('a project is made, renamed and deleted', async ({ page }) => {
  await logIn(page)
  await page.goto('/projects')
  const name = uniqueName('Short lived')
  await page.getByRole('button', { name: 'New project' }).click()
  await page.getByRole('button', { name: 'Save' }).click()
  await expect(page.getByText('Enter a name of one line')).toBeVisible()
  await page.getByRole('textbox', { name: 'Name' }).fill(name)
  await page.getByRole('button', { name: 'Save' }).click()
  await expect(page.getByRole('heading', { name })).toBeVisible()
  await page.getByRole('button', { name: 'Rename' }).click()
  await page.getByRole('textbox', { name: 'Name' }).fill(`${name} indeed`)
  await page.getByRole('button', { name: 'Save' }).click()
  await expect(page.getByRole('heading', { name: `${name} indeed` })).toBeVisible()

  await page.getByRole('button', { name: 'Leave the project' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Leave the project' }).click()
  await expect(page.getByRole('alert')).toContainText('needs an owner')
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click()

  await page.getByRole('button', { name: 'Delete the project' }).click()
  const confirm = page.getByRole('dialog').getByRole('button', { name: 'Delete the project' })
  await expect(confirm).toBeDisabled()
  await page.getByLabel(`Type “${name} indeed” to confirm`).fill(`${name} indeed`)
  await confirm.click()
  await expect(page.getByRole('heading', { name: 'Projects' })).toBeVisible()
  await expect(page.getByRole('link', { name: `${name} indeed` })).toHaveCount(0)
})

test('an administrator disables somebody, who is out with the next click', async ({ page, browser }) => {
  await logIn(page)
  const guest = await elsewhere(browser)
  const eve = await join(guest, uniqueName('Eve'))
  await logIn(guest, eve)
  await guest.goto('/workflows')
  await expect(guest.getByRole('heading', { name: 'Workflows' })).toBeVisible()
  await guest.goto('/administration')
  await expect(guest.getByRole('heading', { name: 'Administration' })).toHaveCount(0) // it is not for members
  await guest.goto('/workflows')

  await page.goto('/administration')
  await page.getByRole('searchbox', { name: 'Name or e-mail' }).fill(eve.username)
  const row = page.getByRole('list', { name: 'Accounts' }).getByRole('listitem')
  await expect(row).toHaveCount(1)
  await page.getByRole('button', { name: `What to do about ${eve.username}` }).click()
  await page.getByRole('menuitem', { name: 'Disable the account' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Disable the account' }).click()
  await expect(row).toContainText('disabled')

  await guest.getByRole('link', { name: 'Runs', exact: true }).first().click()
  await expect(guest.getByRole('heading', { name: 'Log in' })).toBeVisible()
  await guest.getByLabel('E-mail').fill(eve.email)
  await guest.getByLabel('Password').fill(eve.password)
  await guest.getByRole('button', { name: 'Log in' }).click()
  await expect(guest.getByRole('alert')).toContainText('wrong')
  await guest.context().close()
})

test('a forgotten password is replaced with a link from an administrator', async ({ page, browser }) => {
  await logIn(page)
  const guest = await elsewhere(browser)
  const eve = await join(guest, uniqueName('Forgetful'))
  await guest.goto('/login')
  await guest.getByRole('link', { name: 'Forgot your password?' }).click()
  await expect(guest.getByText('An administrator can give you a link')).toBeVisible()

  await page.goto('/administration')
  await page.getByRole('searchbox', { name: 'Name or e-mail' }).fill(eve.username)
  await expect(page.getByRole('list', { name: 'Accounts' }).getByRole('listitem')).toHaveCount(1)
  await page.getByRole('button', { name: `What to do about ${eve.username}` }).click()
  await page.getByRole('menuitem', { name: 'Link for another password' }).click()
  const link = await page.getByLabel('Link', { exact: true }).inputValue()

  await guest.goto(link)
  await guest.getByLabel('New password').fill('short')
  await guest.getByRole('button', { name: 'Set the password' }).click()
  await expect(guest.getByText('Use 10 characters or more.')).toBeVisible()
  await guest.getByLabel('New password').fill('una frase completamente nueva')
  await guest.getByRole('button', { name: 'Set the password' }).click()
  await expect(guest.getByText('The password was changed. Log in with it.')).toBeVisible()
  await guest.getByLabel('E-mail').fill(eve.email)
  await guest.getByLabel('Password').fill('una frase completamente nueva')
  await guest.getByRole('button', { name: 'Log in' }).click()
  await expect(guest.getByRole('heading', { name: 'Dashboard' })).toBeVisible()
  await guest.goto(link)
  await guest.getByLabel('New password').fill('otra frase completamente nueva')
  await guest.getByRole('button', { name: 'Set the password' }).click()
  await expect(guest.getByRole('alert')).toContainText('used already')
  await guest.context().close()
})
