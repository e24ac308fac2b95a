// A definition on its way from an import to the editor. It survives a reload, but not the tab.
import type { WorkflowInput } from '@/shared/api/types'

const storageKey = 'orq.handover'
let kept: WorkflowInput | undefined

export function handOver(definition: WorkflowInput): void {
  kept = definition
  try {
    sessionStorage.setItem(storageKey, JSON.stringify(definition))
  } catch {
    // Storage may be blocked; it then does not survive a reload.
  }
}

/** What was handed over last; undefined when nothing was. */
export function handedOver(): WorkflowInput | undefined {
  if (kept) return kept
  try {
    const text = sessionStorage.getItem(storageKey)
    return text ? (JSON.parse(text) as WorkflowInput) : undefined
  } catch {
    return undefined
  }
}
