import { customRef, onScopeDispose, watch, type Ref, type WatchSource } from 'vue'

/** Follows source, `wait` milliseconds after its last change. */
export function debounced<T>(source: WatchSource<T>, initial: T, wait: number): Readonly<Ref<T>> {
  let value = initial
  let timer: ReturnType<typeof setTimeout> | undefined
  const result = customRef<T>((track, trigger) => {
    watch(source, (next) => {
      clearTimeout(timer)
      timer = setTimeout(() => {
        value = next
        trigger()
      }, wait)
    })
    return {
      get() {
        track()
        return value
      },
      set() {},
    }
  })
  onScopeDispose(() => clearTimeout(timer))
  return result
}
