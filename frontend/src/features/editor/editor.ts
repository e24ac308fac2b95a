// The state of one editor: the draft, its past, what is wrong with it, and which step is looked at. List, graph and source
// are views of it.
import { computed, inject, nextTick, provide, ref, watch, type InjectionKey, type Ref } from 'vue'
import { ApiError, toApiError } from '@/shared/api/problem'
import type { FieldProblem, WorkflowInput } from '@/shared/api/types'
import { displayZone } from '@/shared/lib/zone'
import { validate } from './api'
import { without } from './graph'
import { useHistory } from './history'
import { duplicateStep, newStep, newTrigger, type Draft, type StepDraft } from './model'
import { provideProblems } from '@/shared/forms/problems'
import { definitionOf } from './write'

const checkAfter = 600 // ms without a change

export function useEditor(initial: Draft, context: () => { projectID?: string }) {
  const draft = ref<Draft>(initial)
  const problems = ref<readonly FieldProblem[]>([])
  const failure = ref('')
  provideProblems(problems)
  const history = useHistory(draft)
  const selected = ref<string | undefined>(draft.value.steps[0]?.key)
  const openSteps = ref(
    new Set(draft.value.steps.length <= 1 ? draft.value.steps.map((step) => step.key) : []),
  )

  // Undo and the text view put another draft in place of this one; what was looked at is found again by its id.
  watch(
    draft,
    (next, before) => {
      const known = new Set(next.steps.map((step) => step.key))
      const ids = new Map(before.steps.map((step) => [step.key, step.id]))
      const keyNow = (key: string) =>
        known.has(key) ? key : next.steps.find((step) => step.id === ids.get(key))?.key
      openSteps.value = new Set([...openSteps.value].flatMap((key) => keyNow(key) ?? []))
      selected.value = (selected.value && keyNow(selected.value)) ?? next.steps[0]?.key
    },
    { flush: 'sync' },
  )

  const written = computed(() => definitionOf(draft.value))
  const saved = ref(JSON.stringify(written.value.input))
  const dirty = computed(() => JSON.stringify(written.value.input) !== saved.value)

  // Once something was refused, look again while it is being mended, so that what is right is not marked any longer.
  let timer: ReturnType<typeof setTimeout> | undefined
  let asked = 0
  watch(written, () => {
    if (problems.value.length === 0) return
    clearTimeout(timer)
    timer = setTimeout(() => void check(), checkAfter)
  })
  async function check() {
    const { input, problems: found } = written.value
    const mine = ++asked
    if (found.length > 0) {
      problems.value = found
      return
    }
    try {
      await validate({ ...input, project_id: context().projectID })
      if (mine === asked) problems.value = []
    } catch (cause) {
      const error = toApiError(cause)
      if (mine === asked && error.fields.length > 0) problems.value = error.fields
    }
  }

  function setOpen(key: string, open: boolean) {
    if (open) {
      openSteps.value.add(key)
      selected.value = key
    } else openSteps.value.delete(key)
  }
  /** Adds a step after another one, or after the last; answers its place. */
  function addStep(action: string, afterKey?: string, config: Record<string, unknown> = {}): number {
    const step = { ...newStep(action, draft.value.steps), other: config }
    const at = afterKey ? draft.value.steps.findIndex((other) => other.key === afterKey) + 1 : 0
    if (at > 0 && afterKey) {
      step.dependsOn = [afterKey]
      draft.value.steps.splice(at, 0, step)
    } else draft.value.steps.push(step)
    setOpen(step.key, true)
    moved()
    return at > 0 ? at : draft.value.steps.length - 1
  }
  function removeStep(key: string) {
    const at = draft.value.steps.findIndex((step) => step.key === key)
    draft.value.steps = without(draft.value.steps, key)
    openSteps.value.delete(key)
    if (selected.value === key) selected.value = (draft.value.steps[at] ?? draft.value.steps[at - 1])?.key
    moved()
  }
  function copyStep(key: string) {
    const at = draft.value.steps.findIndex((step) => step.key === key)
    const step = draft.value.steps[at]
    if (!step) return
    const copy = duplicateStep(JSON.parse(JSON.stringify(step)) as StepDraft, draft.value.steps)
    draft.value.steps.splice(at + 1, 0, copy)
    selected.value = copy.key
    moved()
  }
  function moveStep(index: number, by: number) {
    const [step] = draft.value.steps.splice(index, 1)
    if (step) draft.value.steps.splice(index + by, 0, step)
    moved()
  }
  /** Pointers name places; when steps change theirs, what was said about them is about others. */
  function moved() {
    if (problems.value.length > 0) void nextTick(check)
  }

  return {
    draft,
    problems,
    failure,
    history,
    selected,
    openSteps,
    dirty,
    written,
    setOpen,
    addStep,
    removeStep,
    copyStep,
    moveStep,
    addTrigger() {
      draft.value.triggers.push(newTrigger(draft.value.triggers, displayZone.value))
    },
    removeTrigger(key: string) {
      draft.value.triggers = draft.value.triggers.filter((trigger) => trigger.key !== key)
      moved()
    },
    /** The draft is what the server has now. */
    settled() {
      saved.value = JSON.stringify(written.value.input)
    },
    /** What to save; undefined when the form itself knows that it cannot be. */
    submit(): WorkflowInput | undefined {
      problems.value = written.value.problems
      failure.value = ''
      return problems.value.length > 0 ? undefined : written.value.input
    },
    refuse(error: ApiError, text: string) {
      problems.value = error.fields
      failure.value = error.fields.length > 0 ? '' : text
    },
  }
}

export type Editor = ReturnType<typeof useEditor>

const editorKey: InjectionKey<Editor> = Symbol('editor state')

export function provideEditor(editor: Editor): void {
  provide(editorKey, editor)
}

export function useSharedEditor(): Editor {
  const editor = inject(editorKey)
  if (!editor) throw new Error('this belongs inside the editor')
  return editor
}

/** The place of the selected step, -1 when there is none. */
export function useSelectedIndex(editor: Editor): Ref<number> {
  return computed(() => editor.draft.value.steps.findIndex((step) => step.key === editor.selected.value))
}
