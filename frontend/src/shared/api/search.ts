import { body, client } from './client'
import type { Workflow } from './types'

/** A few workflows whose name holds a text, the newest first: what one is chosen from, since there may be thousands. */
export async function searchWorkflows(q: string, limit: number, signal?: AbortSignal): Promise<Workflow[]> {
  const page = await body(
    client.GET('/workflows', { params: { query: { q: q || undefined, limit } }, signal }),
  )
  return page.items
}
