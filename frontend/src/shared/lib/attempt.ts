import { ref, type Ref } from 'vue'
import { toApiError, type ApiError } from '@/shared/api/problem'

/** Does one thing at a time; what goes wrong with it is given to `refused`. */
export function useAttempt(): {
  busy: Readonly<Ref<boolean>>
  attempt: (work: () => Promise<void>, refused: (error: ApiError) => void) => Promise<void>
} {
  const busy = ref(false)
  async function attempt(work: () => Promise<void>, refused: (error: ApiError) => void) {
    if (busy.value) return
    busy.value = true
    try {
      await work()
    } catch (cause) {
      refused(toApiError(cause))
    } finally {
      busy.value = false
    }
  }
  return { busy, attempt }
}
