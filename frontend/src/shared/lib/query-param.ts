import { computed, type WritableComputedRef } from 'vue'
import { useRoute, useRouter } from 'vue-router'

/** One parameter of the address as a value, so that a filtered list can be linked and reloaded; "" is absent. */
export function useQueryParam<T extends string>(
  name: string,
  allowed?: readonly T[],
): WritableComputedRef<T | ''> {
  const route = useRoute()
  const router = useRouter()
  return computed<T | ''>({
    get() {
      const value = route.query[name]
      if (typeof value !== 'string') return ''
      if (allowed && !allowed.some((item) => item === value)) return ''
      return value as T
    },
    set(value) {
      void router.replace({ query: { ...route.query, [name]: value || undefined } })
    },
  })
}
