// Every screen of the product, dialogs and empty and broken states included: what is looked at (npm run shots) and what
// is held against WCAG (4-screens.spec.ts). A screen that is added to the product is added here.
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Page } from '@playwright/test'
import auditEn from '../../src/shared/i18n/locales/audit.en.json' with { type: 'json' }
import auditEs from '../../src/shared/i18n/locales/audit.es.json' with { type: 'json' }
import en from '../../src/shared/i18n/locales/en.json' with { type: 'json' }
import es from '../../src/shared/i18n/locales/es.json' with { type: 'json' }
import lateEn from '../../src/shared/i18n/locales/late.en.json' with { type: 'json' }
import lateEs from '../../src/shared/i18n/locales/late.es.json' with { type: 'json' }
import { expect, httpStep, logStep, makeWorkflow, refusal, sink, startRun, uniqueName } from './support'

export type Language = 'en' | 'es'
/** The text of a key in a language, with values put in. */
export type Text = (key: string, values?: Record<string, string>) => string

/** What a page may have loaded: the texts of the first visit, then those that come with their pages. */
const trees: Record<Language, unknown[]> = { en: [en, lateEn, auditEn], es: [es, lateEs, auditEs] }

export function textsOf(language: Language): Text {
  return (key, values = {}) => {
    const find = (tree: unknown) =>
      key.split('.').reduce((node, part) => (node as Record<string, unknown> | undefined)?.[part], tree)
    const node = trees[language].map(find).find((found) => found !== undefined)
    if (typeof node !== 'string') throw new Error(`no text ${key}`)
    return node.replace(/\{(\w+)\}/g, (_, name: string) => values[name] ?? '')
  }
}

/** What there is to see. */
export interface Scene {
  workflow: string
  broken: string
  failedRun: string
  goodRun: string
  slowRun: string
  asking: string
  askingRun: string
  /** Where people answer without an account. */
  askingLink: string
  drafted: string
  outdated: string
  never: string
}

// The tests of the screens run in processes of their own and share one scene, which scene.begin.ts makes.
const sceneFile = fileURLToPath(new URL('../../test-results/scene.json', import.meta.url))
export const keepScene = (scene: Scene) => writeFileSync(sceneFile, JSON.stringify(scene))
export const keptScene = () => JSON.parse(readFileSync(sceneFile, 'utf8')) as Scene

export interface Screen {
  name: string
  address: string
  /** Who looks: nobody logged in, somebody who has nothing yet, or the owner of the scene. */
  as?: 'guest' | 'newcomer'
  /** Answers that are replaced before the page is opened. */
  before?: (page: Page, scene: Scene) => Promise<unknown>
  /** What is done on the page. */
  act?: (page: Page, t: Text) => Promise<unknown>
  /** It shows that something is amiss, which the browser's console repeats. */
  complains?: boolean
}

export async function settled(page: Page): Promise<void> {
  await page.locator('h1').first().waitFor()
  await expect(page.locator('[aria-busy="true"]')).toHaveCount(0)
}

const fail = (what: RegExp) => (page: Page) => page.route(what, (route) => route.fulfill(refusal('Not now.')))

/** Makes workflows and runs of every kind. */
export async function buildScene(page: Page): Promise<Scene> {
  const zone = 'Europe/Madrid'
  const daily = { id: 'night', type: 'schedule', cron: '30 2 * * *', timezone: zone }
  const ok = [
    httpStep('/ok'),
    { ...logStep('1 EUR = {{ steps.fetch.body.usd }} USD'), depends_on: ['fetch'] },
  ]
  const workflow = await makeWorkflow(page, 'Nightly backup of the customers’ database', {
    description: 'Keeps a copy in cold storage and tells the team how it went.',
    triggers: [daily, { id: 'often', type: 'schedule', every: '6h', overlap: 'queue_one', missed: 'all' }],
    steps: [
      httpStep('/ok', { retry: { attempts: 3 }, timeout: '20s' }),
      {
        ...logStep('1 EUR = {{ steps.fetch.body.usd }} USD'),
        depends_on: ['fetch'],
        if: 'steps.fetch.status == 200',
      },
    ],
  })
  await buildAlerts(page, workflow.id)
  const goodRun = await startRun(page, workflow.id)
  // Another version, so that there is something to compare.
  const broken = {
    name: workflow.name,
    description: 'Keeps a copy in cold storage and tells the team how it went.',
    triggers: [daily, { id: 'often', type: 'schedule', every: '6h', overlap: 'queue_one', missed: 'all' }],
    steps: [
      httpStep('/flaky', { retry: { attempts: 4, initial: '100ms', backoff: 'fixed' }, timeout: '20s' }),
      { ...logStep('1 EUR = {{ steps.fetch.body.usd }} USD'), name: 'Note the rate', depends_on: ['fetch'] },
      { ...httpStep('/ok'), id: 'archive', name: 'Archive the figures', depends_on: ['fetch'] },
      {
        ...httpStep('/fail'),
        id: 'report',
        name: 'Print the report',
        retry: { attempts: 2, initial: '100ms', backoff: 'fixed' },
        depends_on: ['archive'],
      },
      { ...logStep('Done'), id: 'tell', name: 'Tell the team', depends_on: ['report', 'note'] },
    ],
  }
  const saved = await page.request.put(`/api/v1/workflows/${workflow.id}`, { data: broken })
  expect(saved.status(), await saved.text()).toBe(200)
  const failedRun = await startRun(page, workflow.id)
  const others = [
    [
      'Sync customers to CRM',
      { triggers: [{ ...daily, cron: '*/15 * * * *' }], steps: [httpStep('/sometimes')] },
    ],
    ['Invoice reminders', { triggers: [{ ...daily, cron: '0 9 * * MON-FRI' }], steps: [httpStep('/fail')] }],
    ['Deploy preview sites', { steps: ok }],
    ['Clean temporary files', { enabled: false, triggers: [{ ...daily, cron: '0 */6 * * *' }], steps: ok }],
  ] as const
  let last = ''
  for (const [name, definition] of others) {
    last = (await makeWorkflow(page, name, definition)).id
    for (let i = 0; i < 6; i++) await startRun(page, last)
  }
  const slow = await makeWorkflow(page, 'Copy the archive to the other continent', {
    triggers: [{ ...daily, cron: '0 4 * * SUN' }],
    steps: [httpStep('/slow'), { ...logStep('Copied'), depends_on: ['fetch'] }],
  })
  const slowRun = await startRun(page, slow.id, { wait: false })
  // The ledger is filled by a backfill.
  const day = (n: number) => new Date(Date.now() - n * 86_400_000).toISOString()
  const filled = await page.request.post(`/api/v1/workflows/${workflow.id}/triggers/night/backfills`, {
    data: { from: day(3), to: day(1), overlap: 'allow', concurrency: 4 },
  })
  expect(filled.status(), await filled.text()).toBe(201)
  await page.request.post('/api/v1/calendars', {
    data: { name: 'Public holidays', dates: ['2026-12-25', '2027-01-01', '2027-01-06'] },
  })
  await page.request.put('/api/v1/hosts/api.example.com', { data: { per_second: 2, burst: 5 } })
  const asking = await makeWorkflow(page, 'Pay the invoices of the month', {
    steps: [
      { id: 'link', action: 'transform', config: { value: '{{ approvals.ask }}' } },
      {
        id: 'ask',
        action: 'approval',
        depends_on: ['link'],
        config: { message: 'Pay 12 invoices, 8,431.20 € in all?', timeout: '2d' },
      },
      {
        id: 'pay',
        action: 'run_workflow',
        depends_on: ['ask'],
        config: { workflow: workflow.id, for_each: '{{ 1..3 }}', inputs: { n: '{{ each.item }}' } },
      },
      {
        id: 'mail',
        action: 'send_email',
        depends_on: ['pay'],
        config: {
          host: 'smtp.example.com',
          from: 'a@example.com',
          to: ['b@example.com'],
          subject: 'Paid',
          text: 'All is paid.',
        },
      },
    ],
  })
  const askingRun = await startRun(page, asking.id, { wait: false })
  let askingLink = ''
  await expect
    .poll(async () => {
      const answer = await page.request.get(`/api/v1/runs/${askingRun}`)
      const run = (await answer.json()) as { status: string; steps: { output: unknown }[] }
      askingLink = new URL(String(run.steps[0]?.output ?? ''), 'http://x').pathname
      return run.status
    })
    .toBe('held')
  return {
    ...{ workflow: workflow.id, broken: last, failedRun, goodRun, slowRun },
    ...{ asking: asking.id, askingRun, askingLink },
    ...(await buildDrafts(page)),
  }
}

/** Makes what is told of a workflow: a channel that works, one that does not, and a rule. */
async function buildAlerts(page: Page, workflow: string): Promise<void> {
  const channel = async (name: string, address: string) => {
    const made = await page.request.post('/api/v1/alert-channels', {
      data: { name: uniqueName(name), action: 'http_endpoint', config: { url: sink + address } },
    })
    expect(made.status(), await made.text()).toBe(201)
    return ((await made.json()) as { id: string }).id
  }
  const [works, fails] = [await channel('Team of the night', '/inbox/scene'), await channel('Pager', '/fail')]
  const rule = await page.request.post('/api/v1/alert-rules', {
    data: {
      name: uniqueName('Everything that keeps us awake'),
      on: ['failure', 'missed', 'late_finish', 'held', 'heartbeat', 'storage', 'recovery'],
      finish_within: '1h30m',
      workflows: [workflow],
      channels: [works],
      timezone: 'Europe/Madrid',
      quiet: { days: ['sat', 'sun'], from: '03:00', to: '03:01' },
    },
  })
  expect(rule.status(), await rule.text()).toBe(201)
  const test = await page.request.post(`/api/v1/alert-channels/${fails}/test`, { data: {} })
  expect(test.status(), await test.text()).toBe(202)
}

/** A workflow with a draft, one whose draft a version overtook, and one that is nothing but a draft. */
async function buildDrafts(page: Page): Promise<Pick<Scene, 'drafted' | 'outdated' | 'never'>> {
  const figures = (hour: number, message: string) => ({
    triggers: [
      { id: 'weekly', type: 'schedule', cron: `0 ${hour} * * MON`, timezone: 'Europe/Madrid' },
      { id: 'orders', type: 'webhook' },
    ],
    steps: [httpStep('/ok'), { ...logStep(message), depends_on: ['fetch'] }],
  })
  const keep = async (id: string, definition: object) => {
    const kept = await page.request.put(`/api/v1/workflows/${id}/draft`, { data: { definition } })
    expect(kept.status(), await kept.text()).toBe(200)
  }
  const drafted = await makeWorkflow(page, 'Figures of the week', figures(9, 'Done'))
  await keep(drafted.id, {
    ...figures(7, 'All is done'),
    name: drafted.name,
    description: 'Earlier.',
  })
  await page.request.post((drafted as unknown as { triggers: { url: string }[] }).triggers[1]?.url ?? '', {
    data: { order: 7 },
  })
  const ran = await page.request.post(`/api/v1/workflows/${drafted.id}/draft/runs`, { data: {} })
  expect(ran.status(), await ran.text()).toBe(202)
  const outdated = await makeWorkflow(page, 'Figures of the month', figures(9, 'Done'))
  await keep(outdated.id, { ...figures(8, 'Done'), name: outdated.name })
  await page.request.put(`/api/v1/workflows/${outdated.id}`, {
    data: { ...figures(10, 'Done'), name: outdated.name },
  })
  const never = await page.request.post('/api/v1/workflows/drafts', {
    data: { definition: { ...figures(9, ''), name: 'Figures of the year', steps: [] } },
  })
  expect(never.status(), await never.text()).toBe(201)
  const { workflow_id } = (await never.json()) as { workflow_id: string }
  return { drafted: drafted.id, outdated: outdated.id, never: workflow_id }
}

async function openMenu(page: Page, name: string) {
  await page.getByRole('button', { name, exact: true }).first().click()
  await page.getByRole('menu').waitFor()
}

/** Somebody without a password, with an account at a service and one at another that is not asked any more. */
const waysIn = (page: Page) =>
  page.route('**/api/v1/auth/identities', (route) => {
    const identity = (id: number, issuer: string, provider: string | null, email: string) => ({
      id: `01a22ff6-f0fd-75a6-a1b6-8c79a7d49a2${id}`,
      issuer,
      provider,
      email,
      created_at: '2026-03-01T09:00:00Z',
      used_at: '2026-11-25T10:00:00Z',
    })
    const items = [
      identity(1, 'https://id.example.com', 'oidc', 'ana.maria.fernandez.de.la.torre@example.com'),
      identity(2, 'https://login.an-older-service.example.com/realms/main', null, ''),
    ]
    return route.fulfill({ json: { password: false, items } })
  })

export function screensOf(scene: Scene): Screen[] {
  const workflow = `/workflows/${scene.workflow}`
  const run = `/runs/${scene.failedRun}`
  return [
    { name: 'login', address: '/login', as: 'guest' },
    {
      name: 'login-wrong',
      address: '/login',
      as: 'guest',
      act: async (page, t) => {
        await page.getByLabel(t('auth.email')).fill('nobody@example.com')
        await page.getByLabel(t('auth.password')).fill('not the password')
        await page.getByRole('button', { name: t('auth.login') }).click()
        await page.getByRole('alert').waitFor()
      },
    },
    { name: 'login-sso-failed', address: '/login?failed=sso_email_taken&next=/runs', as: 'guest' },
    { name: 'register', address: '/register', as: 'guest' },
    {
      name: 'register-wrong',
      address: '/register',
      as: 'guest',
      act: (page) => page.locator('button[type="submit"]').click(),
    },
    { name: 'dashboard-empty', address: '/', as: 'newcomer' },
    { name: 'workflows-empty', address: '/workflows', as: 'newcomer' },
    { name: 'runs-empty', address: '/runs', as: 'newcomer' },
    { name: 'calendars-empty', address: '/calendars', as: 'newcomer' },
    { name: 'queue-member', address: '/queue', as: 'newcomer' },
    { name: 'alerts-empty', address: '/alerts', as: 'newcomer' },
    { name: 'alerts-rules-empty', address: '/alerts?show=rules', as: 'newcomer' },
    { name: 'dashboard', address: '/' },
    {
      name: 'dashboard-tables',
      address: '/',
      act: async (page, t) => {
        const buttons = page.getByRole('button', { name: t('charts.asTable') })
        while ((await buttons.count()) > 0) await buttons.first().click()
      },
    },
    { name: 'dashboard-error', address: '/', before: fail(/\/api\/v1\/(stats|overview)/), complains: true },
    { name: 'workflows', address: '/workflows' },
    {
      name: 'workflows-chosen',
      address: '/workflows',
      act: async (page) => {
        for (const n of [1, 2]) await page.getByRole('checkbox').nth(n).check()
        await page.getByRole('region').first().waitFor()
      },
    },
    { name: 'workflows-none', address: '/workflows?q=nothing' },
    {
      name: 'workflows-error',
      address: '/workflows',
      before: fail(/\/api\/v1\/workflows\?/),
      complains: true,
    },
    { name: 'start', address: '/start' },
    {
      name: 'start-crontab',
      address: '/start',
      act: async (page) => {
        await page
          .getByRole('textbox')
          .first()
          .fill(
            '# Nightly backup\n30 2 * * * curl -fsS https://example.com/backup\n@daily /usr/bin/tidy --all\n0 25 * * * curl https://example.com\n@reboot /bin/true',
          )
        await expect(page.getByText('02:30').first()).toBeVisible()
      },
    },
    {
      name: 'start-curl',
      address: '/start?from=curl',
      act: (page) =>
        page
          .getByRole('textbox')
          .first()
          .fill(
            'curl -X PUT https://api.example.com/customers/42 -H \'Content-Type: application/json\' -d \'{"name": "Ana"}\' -u ana:geheim --insecure',
          ),
    },
    { name: 'start-file', address: '/start?from=file' },
    { name: 'workflow', address: workflow },
    {
      name: 'workflow-menu',
      address: workflow,
      act: (page, t) => openMenu(page, t('workflows.moreActions')),
    },
    {
      name: 'workflow-start-dialog',
      address: workflow,
      act: async (page, t) => {
        await openMenu(page, t('workflows.moreActions'))
        await page.getByRole('menuitem', { name: t('workflows.runWith') }).click()
        await page.getByRole('dialog').waitFor()
      },
    },
    {
      name: 'workflow-delete-dialog',
      address: workflow,
      act: async (page, t) => {
        await openMenu(page, t('workflows.moreActions'))
        await page.getByRole('menuitem', { name: t('workflows.delete') }).click()
        await page.getByRole('dialog').waitFor()
      },
    },
    { name: 'workflow-definition', address: `${workflow}/definition` },
    {
      name: 'ledger',
      address: `${workflow}/occurrences`,
      act: async (page, t) => {
        await page.getByText(t('explain.title')).click()
        await page.getByLabel(/^(Time|Hora) \(/).fill(`${new Date().toISOString().slice(0, 10)}T01:30`)
        await page.getByRole('button', { name: t('explain.ask') }).click()
        await expect(page.locator('details [role="status"]').first()).not.toBeEmpty()
      },
    },
    {
      name: 'ledger-backfill',
      address: `${workflow}/occurrences`,
      act: async (page, t) => {
        await page.getByRole('button', { name: t('backfill.new') }).click()
        const dialog = page.getByRole('dialog')
        await dialog.getByLabel(t('backfill.from')).fill('2026-11-20T00:30')
        await dialog.getByLabel(t('backfill.to'), { exact: true }).fill('2026-11-22T11:00')
        await dialog.getByRole('button', { name: t('backfill.look') }).click()
        await dialog.getByRole('listitem').first().waitFor()
      },
    },
    {
      name: 'versions',
      address: `${workflow}/versions`,
      act: (page, t) => page.getByText(t('versions.name', { version: '2' })).click(),
    },
    { name: 'editor-new', address: '/workflows/new' },
    {
      name: 'editor-problems',
      address: '/workflows/new',
      act: async (page, t) => {
        await page.getByRole('button', { name: t('editor.create') }).click()
        await page.getByRole('alert').waitFor()
      },
    },
    { name: 'editor', address: `${workflow}/edit` },
    {
      name: 'editor-open',
      address: `${workflow}/edit`,
      act: async (page) => {
        await page
          .getByRole('button', { name: /Fetch the rate/ })
          .first()
          .click()
        await page.evaluate(() =>
          document.querySelectorAll('main details').forEach((drawer) => drawer.setAttribute('open', '')),
        )
        await settled(page)
      },
    },
    { name: 'workflow-drafted', address: `/workflows/${scene.drafted}?drafts=show` },
    { name: 'workflow-drafted-hook', address: `/workflows/${scene.drafted}/definition` },
    { name: 'workflow-never', address: `/workflows/${scene.never}` },
    { name: 'editor-draft', address: `/workflows/${scene.drafted}/edit` },
    { name: 'editor-draft-outdated', address: `/workflows/${scene.outdated}/edit` },
    {
      name: 'editor-draft-faults',
      address: `/workflows/${scene.never}/edit`,
      act: async (page) => {
        await page.locator('.sticky button.link').click()
        await page.getByRole('alert').waitFor()
      },
    },
    {
      name: 'editor-draft-dialog',
      address: `/workflows/${scene.drafted}/edit`,
      act: async (page, t) => {
        await page.getByRole('button', { name: t('drafts.publish') }).click()
        await page.getByRole('list', { name: t('drafts.fires') }).waitFor()
      },
    },
    { name: 'editor-graph', address: `${workflow}/edit?view=graph` },
    { name: 'editor-source', address: `${workflow}/edit?view=source` },
    { name: 'runs', address: '/runs' },
    {
      name: 'runs-chosen',
      address: '/runs',
      act: async (page) => {
        for (const n of [2, 3]) await page.getByRole('checkbox').nth(n).click()
      },
    },
    {
      name: 'runs-rerun-dialog',
      address: '/runs?status=failed',
      act: async (page) => {
        await page.getByRole('row').or(page.getByRole('listitem')).getByRole('checkbox').last().click()
        await page.getByRole('button', { name: /\(1\)/ }).first().click()
        await page.getByRole('dialog').waitFor()
      },
    },
    {
      name: 'runs-views',
      address: '/runs?status=failed',
      act: (page, t) => openMenu(page, t('views.title')),
    },
    { name: 'runs-none', address: '/runs?status=held' },
    { name: 'runs-error', address: '/runs', before: fail(/\/api\/v1\/runs\?/), complains: true },
    { name: 'run-failed', address: run },
    { name: 'run-graph', address: `${run}?view=graph` },
    { name: 'run-compare', address: `${run}?view=compare` },
    { name: 'run-menu', address: run, act: (page, t) => openMenu(page, t('run.rerun')) },
    {
      name: 'run-rerun-dialog',
      address: run,
      act: async (page, t) => {
        await openMenu(page, t('run.rerun'))
        await page.getByRole('menuitem', { name: t('run.rerunInputs') }).click()
        await page.getByRole('dialog').waitFor()
      },
    },
    { name: 'run-good', address: `/runs/${scene.goodRun}` },
    { name: 'run-slow', address: `/runs/${scene.slowRun}` },
    {
      name: 'run-held',
      address: `/runs/${scene.slowRun}`,
      before: held,
    },
    {
      name: 'run-held-dialog',
      address: `/runs/${scene.slowRun}`,
      before: held,
      act: async (page, t) => {
        await page
          .getByRole('button', { name: t('runNotice.decide') })
          .first()
          .click()
        await page.getByRole('dialog').waitFor()
      },
    },
    { name: 'run-missing', address: '/runs/00000000-0000-4000-8000-000000000000' },
    { name: 'approvals', address: '/approvals' },
    { name: 'approvals-all', address: '/approvals?show=all' },
    { name: 'approve-by-link', address: scene.askingLink, as: 'guest' },
    { name: 'approve-no-question', address: '/approve/nothing', as: 'guest', complains: true },
    { name: 'run-asking', address: `/runs/${scene.askingRun}` },
    {
      name: 'editor-actions',
      address: `/workflows/${scene.asking}/edit`,
      act: async (page) => {
        for (const step of ['ask', 'pay', 'mail'])
          await page.getByRole('button', { name: step, expanded: false }).first().click()
        await page.locator(`[data-pointer="/steps/3/config/from"]`).waitFor()
      },
    },
    { name: 'alerts', address: '/alerts' },
    { name: 'alerts-none', address: '/alerts?kind=digest&state=dropped' },
    { name: 'alerts-error', address: '/alerts', before: fail(/\/api\/v1\/alerts\?/), complains: true },
    { name: 'alerts-rules', address: '/alerts?show=rules' },
    {
      name: 'alerts-rule-dialog',
      address: '/alerts?show=rules',
      act: async (page, t) => {
        await page.getByRole('button', { name: t('alerts.newRule') }).click()
        const dialog = page.getByRole('dialog')
        for (const label of ['alerts.kind.late_start', 'alerts.chosenWorkflows', 'alerts.quiet'])
          await dialog.getByLabel(t(label)).check()
        await dialog.getByRole('button', { name: t('editor.save') }).click()
        await dialog.getByText(t('fieldProblem.required')).first().waitFor()
      },
    },
    { name: 'alerts-channels', address: '/alerts?show=channels' },
    {
      name: 'alerts-channel-dialog',
      address: '/alerts?show=channels',
      act: async (page, t) => {
        await page.getByRole('button', { name: t('alerts.newChannel') }).click()
        const dialog = page.getByRole('dialog')
        await dialog.getByText(t('alerts.more')).click()
        await dialog.locator('[data-pointer="/config/to"]').waitFor()
      },
    },
    { name: 'queue', address: '/queue' },
    {
      name: 'queue-pause-dialog',
      address: '/queue',
      act: async (page, t) => {
        await page
          .getByRole('button', { name: new RegExp(t('queuePage.pause')) })
          .first()
          .click()
        await page.getByRole('dialog').waitFor()
      },
    },
    {
      name: 'queue-host-dialog',
      address: '/queue',
      act: async (page, t) => {
        await page.getByRole('button', { name: t('hosts.add') }).click()
        await page.getByRole('dialog').waitFor()
      },
    },
    {
      name: 'queue-error',
      address: '/queue',
      before: fail(/\/api\/v1\/(queues|workers|hosts)/),
      complains: true,
    },
    { name: 'calendars', address: '/calendars' },
    { name: 'secrets', address: '/secrets' },
    {
      name: 'calendar-dialog',
      address: '/calendars',
      act: async (page, t) => {
        await page
          .getByRole('button', { name: t('calendars.new') })
          .first()
          .click()
        await page.getByRole('dialog').waitFor()
      },
    },
    {
      name: 'settings-new-token',
      address: '/settings',
      act: async (page, t) => {
        await page.getByRole('button', { name: t('tokens.make') }).click()
        await page.getByRole('dialog').waitFor()
      },
    },
    { name: 'projects', address: '/projects' },
    { name: 'project', address: '/projects', act: openProject },
    {
      name: 'project-invite-dialog',
      address: '/projects',
      act: async (page, t) => {
        await openProject(page)
        await page.getByRole('button', { name: t('members.invite') }).click()
        await page.getByRole('button', { name: t('members.makeLink') }).click()
        await page.getByLabel(t('members.link'), { exact: true }).waitFor()
      },
    },
    {
      name: 'project-usage',
      address: '/projects',
      before: (page) =>
        page.route(/\/projects\/[^/]+\/quota$/, (route) =>
          route.fulfill({
            json: {
              workflows: { used: 4, limit: 50, own: false },
              runs_per_minute: { used: 98, limit: 120, own: true },
              concurrent_runs: { used: 10, limit: 10, own: true },
              storage: { used: 4_210_000_000, limit: 5_000_000_000, own: true },
            },
          }),
        ),
      act: openProject,
    },
    {
      name: 'project-outgoing-calls',
      address: '/projects',
      act: async (page, t) => {
        await openProject(page)
        await page.getByLabel(t('egress.only')).fill('api.example.com\n*example.com')
        await page
          .locator('form', { has: page.getByLabel(t('egress.only')) })
          .getByRole('button')
          .click()
        await page.getByText(/\*example\.com.?: /).waitFor()
      },
      complains: true,
    },
    {
      name: 'project-delete-dialog',
      address: '/projects',
      act: async (page, t) => {
        await openProject(page)
        await page.getByRole('button', { name: t('projects.delete') }).click()
        await page.getByRole('dialog').waitFor()
      },
    },
    { name: 'project-missing', address: '/projects/00000000-0000-4000-8000-000000000000', complains: true },
    {
      name: 'project-menu',
      address: '/projects',
      before: inManyProjects,
      act: async (page, t) => {
        const name = t('projects.switch', { name: t('projects.all') })
        await page.getByRole('button', { name }).locator('visible=true').click()
        await page.getByRole('menu').waitFor()
      },
    },
    { name: 'administration', address: '/administration' },
    {
      name: 'administration-limits-dialog',
      address: '/administration',
      act: async (page, t) => {
        await page.getByRole('button', { name: t('admin.limitsOf', { name: 'Ana' }), exact: true }).click()
        await page.getByLabel(t('admin.allow')).fill('10.1.0.0/16\nhttps://intranet.example.com')
        await page.getByRole('button', { name: t('editor.save') }).click()
        await page
          .getByRole('dialog')
          .getByText(/intranet\.example\.com.?: /)
          .waitFor()
      },
      complains: true,
    },
    {
      name: 'administration-link-dialog',
      address: '/administration',
      act: async (page, t) => {
        await page.getByRole('button', { name: t('admin.actions', { name: 'Nora' }) }).click()
        await page.getByRole('menuitem', { name: t('admin.resetLink') }).click()
        await page.getByLabel(t('members.link'), { exact: true }).waitFor()
      },
    },
    {
      name: 'administration-error',
      address: '/administration',
      before: fail(/\/api\/v1\/users/),
      complains: true,
    },
    { name: 'audit', address: '/administration/audit' },
    {
      name: 'audit-entry',
      address: '/administration/audit?action=workflow.update',
      act: async (page) => {
        const entry = page.locator('button[aria-controls^="entry-"]').first()
        await entry.click()
        await page.locator('dl').first().waitFor()
      },
    },
    {
      name: 'audit-verified',
      address: '/administration/audit',
      act: async (page, t) => {
        await page.getByRole('button', { name: t('audit.verify') }).click()
        await page.getByText(t('audit.whole')).waitFor()
      },
    },
    {
      name: 'audit-broken',
      address: '/administration/audit',
      before: (page) =>
        page.route('**/api/v1/audit/verification', (route) =>
          route.fulfill({ contentType: 'application/x-ndjson', body: `${JSON.stringify(brokenReport)}\n` }),
        ),
      act: async (page, t) => {
        await page.getByRole('button', { name: t('audit.verify') }).click()
        await page.getByText(t('audit.broken')).waitFor()
      },
    },
    { name: 'audit-none', address: '/administration/audit?object=nothing' },
    {
      name: 'audit-error',
      address: '/administration/audit',
      before: fail(/\/api\/v1\/audit/),
      complains: true,
    },
    {
      name: 'project-audit',
      address: '/projects',
      act: async (page, t) => {
        await openProject(page)
        await page.getByRole('link', { name: t('audit.title') }).click()
        await settled(page)
      },
    },
    { name: 'forgot', address: '/forgot', as: 'guest' },
    { name: 'reset', address: `/reset#${'a'.repeat(43)}`, as: 'guest' },
    { name: 'invitation-spent', address: `/invitation#${'a'.repeat(43)}`, complains: true },
    { name: 'settings', address: '/settings' },
    {
      name: 'settings-ways',
      address: '/settings?failed=identity_taken',
      before: waysIn,
      act: (page, t) =>
        page.getByRole('heading', { name: t('password.title'), exact: true }).scrollIntoViewIfNeeded(),
    },
    {
      name: 'settings-link',
      address: '/settings',
      act: async (page, t) => {
        await page.getByRole('button', { name: t('sso.linkTitle', { name: 'GitHub' }) }).click()
        await page
          .getByRole('dialog')
          .getByRole('button', { name: t('sso.link'), exact: true })
          .click()
        await page.getByText(t('auth.passwordMissing')).waitFor()
      },
    },
    {
      name: 'account-menu',
      address: '/settings',
      act: (page, t) =>
        page
          .getByRole('button', { name: t('account.menu') })
          .locator('visible=true')
          .click(),
    },
    {
      name: 'palette',
      address: '/workflows',
      act: async (page) => {
        await page.keyboard.press('Control+k')
        await page.getByRole('dialog').getByRole('combobox').fill('in')
        await page.getByRole('option').first().waitFor()
      },
    },
    {
      name: 'shortcuts',
      address: '/workflows',
      act: async (page) => {
        await page.keyboard.press('?')
        await page.getByRole('dialog').waitFor()
      },
    },
    {
      name: 'offline',
      address: '/runs',
      act: async (page) => {
        await page.route('**/api/v1/**', (route) => route.abort('internetdisconnected'))
        await page.getByRole('combobox').nth(1).selectOption('failed')
        await page.getByRole('alert').waitFor()
      },
      complains: true,
    },
    {
      name: 'slowed-down',
      address: '/runs',
      act: async (page) => {
        await page.route('**/api/v1/runs?*', (route) =>
          route.fulfill({
            status: 429,
            headers: { 'Retry-After': '25', 'Content-Type': 'application/problem+json' },
            body: JSON.stringify({ title: 'Too Many Requests', status: 429, code: 'too_many_requests' }),
          }),
        )
        await page.getByRole('combobox').nth(1).selectOption('failed')
        await page
          .getByRole('status')
          .filter({ has: page.locator('svg') })
          .waitFor()
      },
      complains: true,
    },
    { name: 'no-page', address: '/nowhere/at/all' },
  ]
}

const brokenReport = {
  ok: false,
  entries: 41,
  first: { number: 1, at: '2026-03-04T05:06:07.000Z', hash: 'a'.repeat(64) },
  last: { number: 41, at: '2026-03-05T05:06:07.000Z', hash: 'b'.repeat(64) },
  sealed_through: 41,
  seals_checked: true,
  unknown_seals: 0,
  cut_through: 0,
  broken: { number: 42, problem: 'altered', message: '' },
}

/** Somebody who is in more projects than a menu has room for. */
const inManyProjects = (page: Page) =>
  page.route('**/api/v1/auth/me', async (route) => {
    const response = await route.fetch()
    const me = (await response.json()) as { projects: { name: string }[] }
    const more = Array.from({ length: 20 }, (_, n) => ({
      ...me.projects[0],
      id: `01a22ff6-f0fd-75a6-a1b6-8c79a7d49a${n + 10}`,
      name: `Customers of region ${n + 1}`,
    }))
    return route.fulfill({ response, json: { ...me, projects: [...me.projects, ...more] } })
  })

async function openProject(page: Page): Promise<void> {
  await page.locator('main').getByRole('link', { name: 'Ana', exact: true }).click()
  await page.getByText('ana@example.com').waitFor()
}

/** A run whose step a person has to decide about; only a lost worker brings that about. */
async function held(page: Page, scene: Scene): Promise<void> {
  const answer = await page.request.get(`/api/v1/runs/${scene.slowRun}`)
  const given = (await answer.json()) as { steps: object[] }
  const steps = [
    { ...given.steps[0], status: 'held', error: 'the worker was lost; did it happen?' },
    ...given.steps.slice(1),
  ]
  await page.route(`**/api/v1/runs/${scene.slowRun}`, (route) =>
    route.fulfill({
      json: { ...given, status: 'held', cancel_requested_at: null, reason: 'did it happen?', steps },
    }),
  )
  await page.route('**/api/v1/events*', (route) =>
    route.fulfill({ contentType: 'text/event-stream', body: ': nothing\n\n' }),
  )
}
