// Saves what changes, a moment after it did, one save at a time; tries again by itself when no answer came.
import { computed, onScopeDispose, ref, shallowRef, type Ref } from 'vue'
import { toApiError, type ApiError } from '@/shared/api/problem'

/** still: nothing was changed. failed: it is not saved, and `error` says why. conflict: somebody else saved in between. */
export type SaveState = 'still' | 'saving' | 'saved' | 'failed' | 'conflict'

export interface Autosave<T> {
  state: Readonly<Ref<SaveState>>
  error: Readonly<Ref<ApiError | undefined>>
  /** Whether there is something that is not saved. */
  unsaved: Readonly<Ref<boolean>>
  change: (value: T) => void
  /** Saves at once what is not saved; answers whether everything is now. */
  flush: () => Promise<boolean>
  /** Saves over what somebody else saved, or forgets what is not saved. */
  settle: (keep: boolean) => Promise<boolean>
}

const pause = 1000 // ms without a change
const again = 5000 // ms after a save that got no answer

/** `save` throws an ApiError; 412 is a conflict, after which nothing is saved until `settle`. */
export function useAutosave<T>(save: (value: T) => Promise<void>): Autosave<T> {
  const state = ref<SaveState>('still')
  const error = shallowRef<ApiError>()
  const wanted = shallowRef<{ value: T }>()
  let timer: ReturnType<typeof setTimeout> | undefined
  let running: Promise<void> | undefined
  onScopeDispose(() => clearTimeout(timer))

  function later(wait: number) {
    clearTimeout(timer)
    timer = setTimeout(() => void run(), wait)
  }
  function run(): Promise<void> {
    clearTimeout(timer)
    running ??= work().finally(() => (running = undefined))
    return running
  }
  async function work() {
    while (wanted.value && state.value !== 'conflict') {
      const mine = wanted.value
      state.value = 'saving'
      try {
        await save(mine.value)
        error.value = undefined
        if (wanted.value === mine) {
          wanted.value = undefined
          state.value = 'saved'
        }
      } catch (cause) {
        const refusal = toApiError(cause)
        error.value = refusal
        if (refusal.status === 412) state.value = 'conflict'
        else {
          state.value = 'failed'
          if (refusal.status === 0 || refusal.status >= 429) later(again)
        }
        return
      }
    }
  }

  return {
    state,
    error,
    unsaved: computed(() => wanted.value !== undefined),
    change(value) {
      wanted.value = { value }
      if (state.value === 'conflict') return
      if (!running) state.value = 'saving'
      later(pause)
    },
    async flush() {
      await running
      await run()
      return wanted.value === undefined
    },
    async settle(keep) {
      await running
      if (!keep) wanted.value = undefined
      state.value = wanted.value ? 'saving' : 'still'
      error.value = undefined
      await run()
      return wanted.value === undefined
    },
  }
}
