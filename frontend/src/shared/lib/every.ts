import { onScopeDispose } from 'vue'

/** Does something again and again while somebody looks at it. */
export function useEvery(ms: number, act: () => void): void {
  const timer = setInterval(() => {
    if (!document.hidden) act()
  }, ms)
  onScopeDispose(() => clearInterval(timer))
}
