import { useMutation, useQueryCache } from '@pinia/colada'
import { body, client } from '@/shared/api/client'
import { usePaged } from '@/shared/api/paged'
import type { Calendar, CalendarInput } from '@/shared/api/types'

const lists = ['calendars'] as const

export function useCalendars() {
  return usePaged<Calendar>({
    key: () => ['calendars', 'list'],
    fetch: (cursor, signal) =>
      body(client.GET('/calendars', { params: { query: { cursor, limit: 50 } }, signal })),
  })
}

/** Creates a calendar, or changes the one with this id. */
export function useSaveCalendar() {
  const cache = useQueryCache()
  return useMutation({
    mutation: ({ id, input }: { id?: string; input: CalendarInput }) =>
      body<Calendar>(
        id
          ? client.PUT('/calendars/{id}', { params: { path: { id } }, body: input })
          : client.POST('/calendars', { body: input }),
      ),
    onSuccess: () => cache.invalidateQueries({ key: lists }),
  })
}

export function useDeleteCalendar() {
  const cache = useQueryCache()
  return useMutation({
    async mutation(id: string) {
      await body(client.DELETE('/calendars/{id}', { params: { path: { id } } }))
    },
    onSuccess: () => cache.invalidateQueries({ key: lists }),
  })
}
