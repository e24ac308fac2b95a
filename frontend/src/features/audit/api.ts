// The audit log: who changed what, as a list, as a file, and whether nobody tampered with it.
import { useQueryCache } from '@pinia/colada'
import { computed, ref } from 'vue'
import { body, client } from '@/shared/api/client'
import { usePaged } from '@/shared/api/paged'
import { toApiError } from '@/shared/api/problem'
import type { AuditEntry, AuditReport } from '@/shared/api/types'

/** What narrows the log; undefined does not. */
export interface AuditFilter {
  action?: string
  actor?: string
  object?: string
  from?: string
  to?: string
}

/** The log of a project, or of the installation. */
export function useAudit(project: () => string | undefined, filter: () => AuditFilter) {
  return usePaged<AuditEntry>({
    key: () => ['audit', project() ?? '', { ...filter() }],
    fetch(cursor, signal) {
      const id = project()
      const query = { ...filter(), cursor, limit: 50 }
      return id
        ? body(client.GET('/projects/{id}/audit', { params: { path: { id }, query }, signal }))
        : body(client.GET('/audit', { params: { query }, signal }))
    },
  })
}

/** Lets the browser save the log. It may be long, so it is not read into the page: the browser fetches it by itself. */
export async function saveAudit(
  project: string | undefined,
  filter: AuditFilter,
  format: 'json' | 'csv',
): Promise<void> {
  await body(client.GET('/auth/me')) // renews the session, which a link does not
  const query = new URLSearchParams({ format })
  for (const [name, value] of Object.entries(filter)) if (value) query.set(name, String(value))
  const link = document.createElement('a')
  link.href = `/api/v1${project ? `/projects/${project}` : ''}/audit/export?${query}`
  link.download = format === 'csv' ? 'audit.csv' : 'audit.jsonl'
  link.click()
}

/** What a line of a verification says: how far it is, or what it found. */
type Line = AuditReport | { checked: number; of: number }

/** The verification of the whole log: how far it is, and what it found. */
export function useVerification() {
  const cache = useQueryCache()
  const progress = ref<{ checked: number; of: number }>()
  const report = ref<AuditReport>()
  const error = ref<unknown>()
  const busy = ref(false)

  async function start() {
    busy.value = true
    progress.value = report.value = error.value = undefined
    try {
      const stream = await body(client.POST('/audit/verification', { parseAs: 'stream' }))
      for await (const line of linesOf(stream as unknown as ReadableStream<Uint8Array>)) {
        const said = JSON.parse(line) as Line
        if ('ok' in said) report.value = said
        else progress.value = said
      }
      if (!report.value) throw new TypeError('the answer ended before the report')
    } catch (cause) {
      error.value = toApiError(cause)
    } finally {
      busy.value = false
      void cache.invalidateQueries({ key: ['audit'] })
    }
  }
  return { start, busy, progress, report, error, done: computed(() => report.value !== undefined) }
}

/** The lines of an answer, as they come. */
async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const reader = stream.getReader()
  const decoder = new TextDecoder()
  let rest = ''
  for (;;) {
    const { value, done } = await reader.read()
    rest += decoder.decode(value, { stream: !done })
    const lines = rest.split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) if (line) yield line
    if (done) break
  }
  if (rest) yield rest
}
