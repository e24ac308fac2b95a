// Errors of the API (RFC 9457) as one class, and the way from a JSON pointer to a field of a form.
import type { FieldProblem, Problem } from './types'

/** An answer that is no success, or no answer at all (status 0, code "unreachable"). */
export class ApiError extends Error {
  readonly status: number
  readonly code: string
  readonly detail: string
  readonly fields: readonly FieldProblem[]

  constructor(problem: Pick<Problem, 'status' | 'code' | 'title'> & Partial<Problem>) {
    super(problem.detail || problem.title)
    this.name = 'ApiError'
    this.status = problem.status
    this.code = problem.code
    this.detail = problem.detail || problem.title
    this.fields = problem.errors ?? []
  }

  /** True when no answer came: the server is away or the network is. */
  get unreachable(): boolean {
    return this.status === 0
  }
}

/** Makes an ApiError of whatever was thrown or answered. */
export function toApiError(cause: unknown, status = 0): ApiError {
  if (cause instanceof ApiError) return cause
  if (isProblem(cause)) return new ApiError(cause)
  if (status === 0) return new ApiError({ status: 0, code: 'unreachable', title: String(cause) })
  return new ApiError({ status, code: status === 401 ? 'unauthorized' : 'unknown', title: `HTTP ${status}` })
}

function isProblem(value: unknown): value is Problem {
  return (
    typeof value === 'object' &&
    value !== null &&
    'status' in value &&
    typeof value.status === 'number' &&
    'code' in value &&
    typeof value.code === 'string' &&
    'title' in value
  )
}

/** The problems of the field at pointer and of everything inside it. */
export function problemsAt(fields: readonly FieldProblem[], pointer: string): FieldProblem[] {
  return fields.filter((f) => f.pointer === pointer || f.pointer.startsWith(pointer + '/'))
}

/**
 * The longest of the known pointers that holds the wanted one; undefined when none does. A form uses it to send the
 * focus to the nearest field it shows: /steps/0/config/headers/Accept belongs to the field /steps/0/config/headers.
 */
export function nearestPointer(wanted: string, known: readonly string[]): string | undefined {
  let best: string | undefined
  for (const pointer of known) {
    if (wanted !== pointer && !wanted.startsWith(pointer + '/')) continue
    if (best === undefined || pointer.length > best.length) best = pointer
  }
  return best
}

/** The parts of a JSON pointer, unescaped: "/a~1b/0" is ["a/b", "0"]. */
export function pointerParts(pointer: string): string[] {
  if (pointer === '') return []
  return pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
}
