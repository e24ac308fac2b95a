import { useInfiniteQuery, type EntryKey } from '@pinia/colada'
import { computed } from 'vue'

interface Page<T> {
  items: T[]
  next_cursor: string | null
}

/** A list of the API, page after page: what is loaded, whether there is more, and what went wrong. */
export function usePaged<T>(options: {
  key: () => EntryKey
  fetch: (cursor: string | undefined, signal: AbortSignal) => Promise<Page<T>>
}) {
  const query = useInfiniteQuery<Page<T>, Error, string | undefined>({
    key: options.key,
    query: ({ pageParam, signal }) => options.fetch(pageParam, signal),
    initialPageParam: undefined,
    getNextPageParam: (last) => last.next_cursor,
  })
  return {
    items: computed(() => query.data.value?.pages.flatMap((page) => page.items) ?? []),
    /** Nothing to show yet. */
    pending: computed(() => query.data.value === undefined && query.error.value === null),
    error: query.error,
    loading: computed(() => query.asyncStatus.value === 'loading'),
    hasMore: computed(() => query.hasNextPage.value),
    loadMore: () => query.loadNextPage(),
    refetch: () => query.refetch(),
  }
}
