// What is done with a draft in the editor besides typing: it is published, compared, run, discarded.
import { computed, ref, shallowRef, type Ref } from 'vue'
import { useI18n } from 'vue-i18n'
import { useRouter } from 'vue-router'
import { useSaveWorkflow, type Drafting, type WorkflowForm } from '@/features/editor'
import { ApiError, toApiError } from '@/shared/api/problem'
import type { WorkflowInput } from '@/shared/api/types'
import { useAttempt } from '@/shared/lib/attempt'
import { toast } from '@/shared/lib/toasts'
import { useErrorText } from '@/shared/ui/error-text'

interface Page {
  load: () => Promise<void>
  /** The next address is gone to without a question. */
  leave: () => void
}

export function useDraftWork(
  editing: Drafting,
  form: Readonly<Ref<InstanceType<typeof WorkflowForm> | null>>,
  { load, leave }: Page,
) {
  const { t } = useI18n()
  const errorText = useErrorText()
  const router = useRouter()
  const save = useSaveWorkflow()
  const { busy, attempt } = useAttempt()
  const { draft, autosave, published } = editing

  /** Everything that was typed is on the server, and valid; else the form says what is not. */
  async function ready(): Promise<boolean> {
    if (!(await form.value?.settle())) return false
    if (!(await autosave.flush())) {
      if (autosave.state.value === 'failed') form.value?.refuse(toApiError(autosave.error.value))
      return false
    }
    if (!draft.value?.faults.length) return true
    showFaults()
    return false
  }
  function showFaults() {
    if (!form.value?.input()) return // what the form sees itself comes first
    form.value?.refuse(
      new ApiError({ status: 422, code: 'validation_failed', title: '', errors: draft.value?.faults }),
    )
  }

  const dialog = ref<'' | 'publish' | 'compare' | 'run'>('')
  const shown = (which: typeof dialog.value) =>
    computed({ get: () => dialog.value === which, set: (open) => (dialog.value = open ? which : '') })
  const running = shown('run')
  const comparing = computed({
    get: () => dialog.value === 'publish' || dialog.value === 'compare',
    set: () => (dialog.value = ''),
  })
  const refusal = shallowRef<unknown>()

  const refuse = (error: ApiError) => {
    dialog.value = ''
    form.value?.refuse(error)
  }

  /** The main button: a new workflow is created at once, another version is looked at before it is published. */
  function submit(input: WorkflowInput) {
    return attempt(async () => {
      if (!editing.id.value && autosave.state.value === 'still') {
        const made = await save(input)
        return done(made.data.id, t('editor.created'))
      }
      if (!(await ready())) return
      // Without a draft there is nothing to publish, but to see that.
      if (published.value && !draft.value) toast('done', t('drafts.nothing'))
      else if (!published.value) await publish()
      else if (!editing.outdated.value) dialog.value = 'publish'
    }, refuse)
  }
  async function publish() {
    const first = !published.value
    const answer = await editing.actions.publish(editing.id.value, editing.etag.value)
    await done(
      answer.data.id,
      first ? t('editor.created') : t('drafts.published', { version: answer.data.version }),
    )
  }
  async function done(id: string, text: string) {
    form.value?.settled()
    dialog.value = ''
    toast('done', text)
    leave()
    await router.push({ name: 'workflow', params: { id } })
  }
  async function compare() {
    await editing.refresh()
    dialog.value = 'compare'
  }
  async function confirm() {
    refusal.value = undefined
    await attempt(publish, (error) => {
      if (error.fields.length > 0) return refuse(error)
      if (error.status === 409 || error.status === 412) {
        dialog.value = ''
        void load()
      } else refusal.value = error
    })
  }

  /** Its runs want inputs, so that they are asked for. */
  const schema = computed(() => draft.value?.definition.inputs as Record<string, unknown> | undefined)
  function run(inputs?: Record<string, unknown>) {
    refusal.value = undefined
    return attempt(
      async () => {
        if (!inputs) {
          if (!form.value?.input()) return
          if (!draft.value) editing.change(form.value.definition())
          if (!(await ready())) return
          if (Array.isArray(schema.value?.required)) return void (dialog.value = 'run')
        }
        const made = await editing.actions.run(editing.id.value, editing.etag.value, inputs ?? {})
        await router.push({ name: 'run', params: { id: made.id } })
      },
      (error) => {
        if (running.value) refusal.value = error
        else refuse(error)
      },
    )
  }

  async function discard() {
    const only = !published.value
    try {
      await editing.discard()
      toast('done', t('drafts.discarded'))
      if (!only) return await load()
      leave()
      await router.push({ name: 'workflows' })
    } catch (cause) {
      toast('error', errorText(cause))
      if (toApiError(cause).status === 412) await load()
    }
  }

  return {
    busy,
    dialog,
    running,
    comparing,
    refusal,
    schema,
    submit,
    compare,
    confirm,
    run,
    discard,
    showFaults,
    /** Does something about what others did. */
    settle: (work: () => Promise<void>) => attempt(work, refuse),
  }
}
