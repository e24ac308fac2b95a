// What the settings show of how somebody logs in.
import type { Identity, Provider, ProviderID } from '@/shared/api/types'

/** What a dialog is about. */
export type Step =
  { kind: 'link'; provider: ProviderID; name: string } | { kind: 'unlink'; id: string; name: string }

export interface Way {
  key: string
  name: string
  /** Unset: it is not linked. */
  identity?: Identity
  /** Unset: the installation does not ask that service any more. */
  provider?: ProviderID
}

/** A way for each service that is asked, linked or not, and then what is left of those that were. */
export function waysOf(providers: readonly Provider[], identities: readonly Identity[]): Way[] {
  const asked = providers.map((provider) => ({
    key: provider.id,
    name: provider.name,
    provider: provider.id,
    identity: identities.find((one) => one.provider === provider.id),
  }))
  const left = identities
    .filter((one) => !one.provider)
    .map((identity) => ({ key: identity.id, name: hostOf(identity.issuer), identity }))
  return [...asked, ...left]
}

function hostOf(issuer: string): string {
  try {
    return new URL(issuer).host
  } catch {
    return issuer
  }
}
