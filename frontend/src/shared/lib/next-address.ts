/**
 * Where to go after the login: the address that was asked for, or "/" when it is not an address of this application.
 * What a link says after "?next=" comes from anybody, so only plain local paths pass.
 */
export function safeNext(next: unknown): string {
  if (typeof next !== 'string') return '/'
  if (!next.startsWith('/') || next.startsWith('//') || /[\\\u0000-\u001f]/.test(next)) return '/'
  if (next === '/login' || next.startsWith('/login?') || next.startsWith('/register')) return '/'
  return next
}
