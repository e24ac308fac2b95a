export { useCalendars, useDeleteCalendar } from './api'
export { default as CalendarDialog } from './CalendarDialog.vue'
export { default as CalendarRow } from './CalendarRow.vue'
