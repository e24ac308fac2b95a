// What a login or registration form can say before the server is asked. Values are keys of the messages.

const mail = /^[^\s@]+@[^\s@]+$/

export function emailProblem(email: string): string | undefined {
  return mail.test(email.trim()) ? undefined : 'auth.emailInvalid'
}

export function newPasswordProblem(password: string): string | undefined {
  if ([...password].length < 10) return 'auth.passwordShort'
  if (new TextEncoder().encode(password).length > 72) return 'auth.passwordLong'
  return undefined
}
