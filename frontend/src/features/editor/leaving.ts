// What can be saved is, before the editor is left; only what cannot be is asked about.
import { onScopeDispose } from 'vue'
import { useRouter, type RouteLocationNormalized } from 'vue-router'

interface Leaving {
  /** Whether the editor goes on there. */
  stays: (to: RouteLocationNormalized) => boolean
  /** Saves what is not saved; answers whether something is lost then. */
  save: () => Promise<boolean>
  /** Whether closing the tab now would lose something. */
  loses: () => boolean
  question: () => string
}

/** Answers a function that lets the next address be gone to without a question. */
export function useLeaving({ stays, save, loses, question }: Leaving): () => void {
  const router = useRouter()
  let free = false
  // Not onBeforeRouteLeave: a new workflow gets another address under the same editor.
  const stop = router.beforeEach(async (to) => {
    if (free || stays(to)) return true
    return !(await save()) || window.confirm(question())
  })
  function warn(event: BeforeUnloadEvent) {
    if (loses()) event.preventDefault()
  }
  addEventListener('beforeunload', warn)
  onScopeDispose(() => {
    stop()
    removeEventListener('beforeunload', warn)
  })
  return () => (free = true)
}
