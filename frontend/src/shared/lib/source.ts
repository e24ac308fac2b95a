// Reading a definition that somebody wrote as text. YAML is a superset of JSON, so one reader does for both. It takes a
// library, so this is loaded when there is something to read.
import { isMap, isScalar, isSeq, LineCounter, parseDocument, type Document } from 'yaml'
import type { WorkflowInput } from '@/shared/api/types'
import { pointerParts } from '@/shared/api/problem'

export interface SourceProblem {
  line: number
  message: string
}

export type Parsed =
  { definition: WorkflowInput; lineOf: (pointer: string) => number } | { problem: SourceProblem }

/** Reads a text. What is no definition at all, so that no form could show it, is a problem with its line. */
export function parseSource(text: string): Parsed {
  const lines = new LineCounter()
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    maxAliasCount: 100,
  } as never)
  const [error] = document.errors
  if (error) return { problem: { line: lines.linePos(error.pos[0]).line, message: error.message } }
  let value: unknown
  try {
    value = document.toJS({ maxAliasCount: 100 })
  } catch (cause) {
    return { problem: { line: 1, message: String(cause instanceof Error ? cause.message : cause) } }
  }
  const at = (pointer: string) => lineAt(document, lines, pointer)
  const wrong = shapeProblem(value)
  if (wrong) return { problem: { line: at(wrong.pointer), message: wrong.code } }
  return { definition: value as WorkflowInput, lineOf: at }
}

/** The line on which the value at a JSON pointer, or the nearest one around it, stands. */
function lineAt(document: Document, lines: LineCounter, pointer: string): number {
  let node: unknown = document.contents
  let offset = 0
  for (const part of pointerParts(pointer)) {
    if (isMap(node)) {
      const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === part)
      if (!pair) break
      if (isScalar(pair.key) && pair.key.range) offset = pair.key.range[0]
      node = pair.value
    } else if (isSeq(node)) {
      node = node.items[Number(part)]
      const range = (node as { range?: [number, number, number] } | undefined)?.range
      if (!range) break
      offset = range[0]
    } else break
  }
  return lines.linePos(offset).line
}

/** What keeps the form from showing a value; the server judges everything else. The code is a key of `source.`. */
function shapeProblem(value: unknown): { pointer: string; code: string } | undefined {
  if (!isObject(value)) return { pointer: '', code: 'noObject' }
  if (typeof value.name !== 'string') return { pointer: '/name', code: 'noName' }
  if (!Array.isArray(value.steps)) return { pointer: '/steps', code: 'noSteps' }
  for (const [i, step] of value.steps.entries()) {
    if (!isObject(step) || typeof step.id !== 'string' || typeof step.action !== 'string')
      return { pointer: `/steps/${i}`, code: 'noStep' }
    if (step.config !== undefined && !isObject(step.config))
      return { pointer: `/steps/${i}/config`, code: 'noConfig' }
    if (step.depends_on !== undefined && !isListOfTexts(step.depends_on))
      return { pointer: `/steps/${i}/depends_on`, code: 'noList' }
    if (step.retry !== undefined && !isObject(step.retry))
      return { pointer: `/steps/${i}/retry`, code: 'noObject' }
  }
  if (value.triggers !== undefined && !Array.isArray(value.triggers))
    return { pointer: '/triggers', code: 'noList' }
  for (const [i, trigger] of ((value.triggers as unknown[] | undefined) ?? []).entries()) {
    if (!isObject(trigger) || typeof trigger.id !== 'string')
      return { pointer: `/triggers/${i}`, code: 'noTrigger' }
    if (trigger.excluded_dates !== undefined && !isListOfTexts(trigger.excluded_dates))
      return { pointer: `/triggers/${i}/excluded_dates`, code: 'noList' }
  }
  return undefined
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isListOfTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every((item) => typeof item === 'string')
}
