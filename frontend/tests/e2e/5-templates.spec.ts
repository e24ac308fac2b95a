// Every template is run once, with addresses filled in, as whoever begins with it would.
import en from '../../src/shared/i18n/locales/late.en.json' with { type: 'json' }
import { templateIDs, templateOf } from '../../src/features/start/templates'
import { expect, logIn, sink, test, uniqueName } from './support'

for (const id of templateIDs) {
  test(`the template “${id}” runs to its end`, async ({ page }) => {
    await logIn(page)
    const texts: Record<string, string> = en.begin.template[id]
    const definition = templateOf(id, 'Europe/Madrid', (name) => texts[name] ?? name)
    const steps = definition.steps.map((step) => ({
      ...step,
      config: {
        ...step.config,
        ...(step.config?.url === '' && {
          url: sink + (step.id === 'fetch' && id === 'fallback' ? '/fail' : '/ok'),
        }),
        ...(id === 'pages' && step.id === 'fetch' && { paginate: { next: 'nil', collect: '[body]' } }),
        ...(step.action === 'wait' && { duration: '1s' }), // a day is long
      },
    }))
    const made = await page.request.post('/api/v1/workflows', {
      data: { ...definition, name: uniqueName(definition.name), steps },
    })
    expect(made.status(), await made.text()).toBe(201)
    const workflow = (await made.json()) as { id: string }
    const inputs = { body: { event: 'paid' }, late: { since: '2026-01-01T00:00:00Z' } }
    const begun = await page.request.post(`/api/v1/workflows/${workflow.id}/runs`, { data: { inputs } })
    const run = (await begun.json()) as { id: string }
    await expect
      .poll(
        async () => {
          const now = await page.request.get(`/api/v1/runs/${run.id}`)
          const { status, reason } = (await now.json()) as { status: string; reason: string | null }
          if (status === 'held') await approve()
          return `${status} ${reason ?? ''}`.trim()
        },
        { timeout: 30_000 },
      )
      .toBe('succeeded')
    await page.request.delete(`/api/v1/workflows/${workflow.id}`)

    async function approve() {
      const list = await page.request.get('/api/v1/approvals', { params: { run_id: run.id, pending: true } })
      for (const question of ((await list.json()) as { items: { id: string }[] }).items)
        await page.request.post(`/api/v1/approvals/${question.id}/decide`, { data: { decision: 'approve' } })
    }
  })
}
