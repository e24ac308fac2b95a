import type { ProjectQuota, QuotaUse } from '@/shared/api/types'

export type QuotaKind = keyof ProjectQuota
export const quotaKinds: readonly QuotaKind[] = ['workflows', 'runs_per_minute', 'concurrent_runs', 'storage']

/** How much of what may be is used: 1 is all of it; 0 where there is no limit. */
export function partOf(use: QuotaUse): number {
  return use.limit === null ? 0 : use.used / use.limit
}
