// Renewing the session. A refresh token works once, and using an old one ends the session, so of all tabs of a browser
// only one may renew at a time: Web Locks where the browser has them (https and localhost), else this tab alone.

const renewedAtKey = 'orq.session_renewed_at'

let pending: Promise<boolean> | undefined

/**
 * Renews the session unless it was renewed (by any tab) after sentAt, the time in milliseconds at which the refused
 * call was sent. Tells whether the call is worth repeating.
 */
export function refreshSession(sentAt: number): Promise<boolean> {
  pending ??= exclusively(() => renew(sentAt)).finally(() => (pending = undefined))
  return pending
}

async function exclusively(task: () => Promise<boolean>): Promise<boolean> {
  if (!navigator.locks) return task()
  return navigator.locks.request('orq-session', task)
}

async function renew(sentAt: number): Promise<boolean> {
  if (readRenewedAt() > sentAt) return true
  let response: Response
  try {
    response = await fetch('/api/v1/auth/refresh', { method: 'POST' })
  } catch {
    return false
  }
  if (response.ok) writeRenewedAt(Date.now())
  return response.ok
}

function readRenewedAt(): number {
  try {
    return Number(localStorage.getItem(renewedAtKey) ?? 0)
  } catch {
    return 0
  }
}

function writeRenewedAt(at: number): void {
  try {
    localStorage.setItem(renewedAtKey, String(at))
  } catch {
    // Storage may be blocked; other tabs then renew for themselves.
  }
}
