// Instants in fields of the kind datetime-local, which speak the reader's own time.

/** "2026-11-25T10:30" for an instant; "" for none or for a text that is no instant. */
export function toField(instant: string): string {
  const at = Date.parse(instant)
  if (Number.isNaN(at)) return ''
  const local = new Date(at - new Date(at).getTimezoneOffset() * 60_000)
  return local.toISOString().slice(0, 16)
}

/** The instant of a field's text; "" when it is empty. */
export function fromField(text: string): string {
  const at = new Date(text)
  return Number.isNaN(at.getTime()) ? '' : at.toISOString()
}
