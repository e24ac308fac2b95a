import type { Delivery } from '@/shared/api/types'

/** A body as people read it: JSON with its lines, anything else as it is. Numbers keep their digits. */
export function readable(delivery: Pick<Delivery, 'body' | 'encoding'>): string {
  const text = delivery.body.trim()
  if (delivery.encoding !== 'text' || !/^[[{]/.test(text)) return delivery.body
  try {
    const value = JSON.parse(text) as unknown
    const shown = JSON.stringify(value, null, 2)
    // A number that would change when it is read is shown as it came.
    return shown.replace(/\s/g, '') === text.replace(/\s/g, '') ? shown : delivery.body
  } catch {
    return delivery.body
  }
}
