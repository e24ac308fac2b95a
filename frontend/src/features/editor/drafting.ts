// The life of one draft in the editor: loaded, saved by itself while it is typed, settled with what others did, published.
import { computed, onScopeDispose, ref, shallowRef } from 'vue'
import { definitionFrom } from '@/shared/api/definition'
import { toApiError } from '@/shared/api/problem'
import type { SavedDraft, Workflow } from '@/shared/api/types'
import { fetchWorkflow } from './api'
import { useAutosave } from './autosave'
import { beginDraft, fetchDraft, saveDraft, useDraftActions, type TaggedDraft } from './drafts'
import { dropLocalCopy, keepLocalCopy, localCopy } from './local-copy'
import type { Draft } from './model'
import { draftOf } from './read'
import { draftOfSaved, type Saved } from './saved'

/** `begun` is told the id of a new workflow once there is a draft of it. */
export function useDrafting(begun: (id: string) => void) {
  const actions = useDraftActions()
  const id = ref('')
  const workflow = shallowRef<Workflow>()
  const draft = shallowRef<SavedDraft>()
  const etag = ref('')
  const initial = shallowRef<Draft>()
  /** Counts what is put into the form from outside. */
  const generation = ref(0)
  let last: Saved | undefined // what was typed last

  const autosave = useAutosave<Saved>(async (definition) => {
    if (id.value) keepLocalCopy(id.value, { etag: etag.value, definition })
    try {
      took(
        id.value
          ? await saveDraft(
              id.value,
              definition,
              etag.value,
              etag.value ? undefined : workflow.value?.version,
            )
          : await beginDraft(definition),
      )
    } catch (cause) {
      if (toApiError(cause).status !== 412) throw cause
      // The answer to an earlier save may have been lost: what is there may be ours.
      const there = await fetchDraft(id.value)
      if (!there || !alike(there.data.definition, definition)) throw cause
      took(there)
    }
    dropLocalCopy(id.value)
  })
  function took(saved: TaggedDraft) {
    draft.value = saved.data
    etag.value = saved.etag
    if (id.value) return
    id.value = saved.data.workflow_id
    begun(id.value)
  }
  function stored() {
    if (id.value && autosave.unsaved.value && last)
      keepLocalCopy(id.value, { etag: etag.value, definition: last })
  }
  /** The page goes away, or is looked away from: what is not saved is saved now, and kept here in any case. */
  function away() {
    if (document.visibilityState !== 'hidden' || !autosave.unsaved.value) return
    stored()
    if (autosave.state.value !== 'conflict') void autosave.flush()
  }
  document.addEventListener('visibilitychange', away)
  addEventListener('pagehide', stored)
  onScopeDispose(() => {
    document.removeEventListener('visibilitychange', away)
    removeEventListener('pagehide', stored)
  })

  function show(next: Draft) {
    initial.value = next
    generation.value++
  }
  /** Shows the draft of a workflow, or what runs when it has none, or what was typed here last and could not be saved. */
  async function load(workflowID: string) {
    const answer = await fetchWorkflow(workflowID)
    const saved = answer.data.draft ? await fetchDraft(workflowID) : undefined
    await autosave.settle(false)
    id.value = workflowID
    workflow.value = answer.data
    draft.value = saved?.data
    etag.value = saved?.etag ?? ''
    const copy = localCopy(workflowID)
    if (copy && !alike(copy.definition, saved?.data.definition)) {
      etag.value = copy.etag // when somebody saved since, the save is a conflict
      show(draftOfSaved(copy.definition))
      last = copy.definition
      autosave.change(copy.definition)
      void autosave.flush()
      return
    }
    dropLocalCopy(workflowID)
    show(saved ? draftOfSaved(saved.data.definition) : draftOf(definitionFrom(answer.data)))
  }

  return {
    id,
    workflow,
    /** Something runs already. */
    published: computed(() => (workflow.value?.version ?? 0) > 0),
    draft,
    etag,
    initial,
    generation,
    autosave,
    actions,
    /** The version that runs is not the one that the draft was begun from. */
    outdated: computed(() => (draft.value ? draft.value.based_on !== draft.value.version : false)),
    show,
    load,
    /** Somebody typed. */
    change(definition: Saved) {
      last = definition
      autosave.change(definition)
    },
    /** Theirs, without mine. */
    async reload(): Promise<void> {
      dropLocalCopy(id.value)
      await load(id.value)
    },
    /** Mine over theirs. */
    async overwrite(): Promise<void> {
      etag.value = (await fetchDraft(id.value))?.etag ?? ''
      await autosave.settle(true)
    },
    /** Looks what runs now. */
    async refresh(): Promise<void> {
      workflow.value = (await fetchWorkflow(id.value)).data
    },
    /** The person has seen what runs now: the draft is to replace that. */
    async rebase(): Promise<void> {
      if (!draft.value || !(await autosave.flush())) return
      took(await saveDraft(id.value, draft.value.definition, etag.value, draft.value.version))
      workflow.value = (await fetchWorkflow(id.value)).data
    },
    async discard(): Promise<void> {
      await autosave.settle(false)
      dropLocalCopy(id.value)
      if (etag.value) await actions.discard(id.value, etag.value)
    },
  }
}

export type Drafting = ReturnType<typeof useDrafting>

/** Alike whatever the order of fields. */
function alike(a: unknown, b: unknown): boolean {
  return stable(a) === stable(b)
}

function stable(value: unknown): string {
  return JSON.stringify(value ?? null, (_, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  )
}
