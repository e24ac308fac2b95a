import { onScopeDispose, readonly, ref, type Ref } from 'vue'

/** The current time in milliseconds, moving every `every` milliseconds for as long as the caller lives. */
export function useNow(every = 1000): Readonly<Ref<number>> {
  const now = ref(Date.now())
  const timer = setInterval(() => (now.value = Date.now()), every)
  onScopeDispose(() => clearInterval(timer))
  return readonly(now)
}
