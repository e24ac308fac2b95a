// Commands that people can paste into a terminal.
import type { Trigger } from '@/shared/api/types'

/** A word of a shell that stands for just this text: whoever wrote it may not be whoever pastes it. */
const quoted = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`

/** How a request is sent to a webhook: with a sample body, and signed where the trigger wants that. */
export function curlOf(trigger: Pick<Trigger, 'url' | 'methods' | 'signature'>): string {
  const method = trigger.methods?.[0] ?? 'POST'
  const call = `curl -X ${method} -H 'Content-Type: application/json'`
  const url = quoted(trigger.url ?? '')
  const to = `-d "$BODY" ${url}`
  const signing = signingOf(trigger.signature)
  if (!signing) return `${call} \\\n  -d '{"hello": "world"}' ${url}`
  return [
    `SECRET='…'`,
    `BODY='{"hello": "world"}'`,
    ...signing.lines,
    `${call} \\\n  ${signing.headers.join(' \\\n  ')} \\\n  ${to}`,
  ].join('\n')
}

function signingOf(signature: Trigger['signature']): { lines: string[]; headers: string[] } | undefined {
  const hex = (signed: string, algorithm = 'sha256') =>
    `SIGN=$(printf '%s' "${signed}" | openssl dgst -${algorithm} -hmac "$SECRET" | sed 's/.* //')`
  const base64 = (signed: string, key: string, algorithm = 'sha256') =>
    `SIGN=$(printf '%s' "${signed}" | openssl dgst -${algorithm} -mac HMAC -macopt ${key} -binary | base64 -w0)`
  const time = 'TIME=$(date +%s)'
  switch (signature?.scheme) {
    case undefined:
      return undefined
    case 'github':
      return { lines: [hex('$BODY')], headers: [`-H "X-Hub-Signature-256: sha256=$SIGN"`] }
    case 'stripe':
      return { lines: [time, hex('$TIME.$BODY')], headers: [`-H "Stripe-Signature: t=$TIME,v1=$SIGN"`] }
    case 'slack':
      return {
        lines: [time, hex('v0:$TIME:$BODY')],
        headers: [`-H "X-Slack-Request-Timestamp: $TIME"`, `-H "X-Slack-Signature: v0=$SIGN"`],
      }
    case 'standard_webhooks':
      return {
        lines: [
          time,
          'ID=msg_$TIME',
          `KEY=$(printf '%s' "\${SECRET#whsec_}" | base64 -d | od -An -tx1 | tr -d ' \\n')`,
          base64('$ID.$TIME.$BODY', 'hexkey:$KEY'),
        ],
        headers: [
          `-H "webhook-id: $ID"`,
          `-H "webhook-timestamp: $TIME"`,
          `-H "webhook-signature: v1,$SIGN"`,
        ],
      }
    case 'hmac': {
      const algorithm = signature.algorithm ?? 'sha256'
      const stamped = signature.timestamp_header !== undefined
      const signed = stamped ? '$TIME.$BODY' : '$BODY'
      return {
        lines: [
          ...(stamped ? [time] : []),
          signature.encoding === 'base64'
            ? base64(signed, '"key:$SECRET"', algorithm)
            : hex(signed, algorithm),
        ],
        headers: [
          ...(signature.timestamp_header ? [`-H ${quoted(`${signature.timestamp_header}: `)}"$TIME"`] : []),
          `-H ${quoted(`${signature.header ?? ''}: ${signature.prefix ?? ''}`)}"$SIGN"`,
        ],
      }
    }
  }
}

/** How a job says that it is done, also when it fails. */
export function pingOf(url: string): string {
  return `curl -fsS -m 10 --retry 5 -o /dev/null ${url}`
}

/** A crontab line whose job says how it ended. */
export function cronLineOf(url: string): string {
  return `0 3 * * *  /path/to/job; curl -fsS -m 10 --retry 5 -o /dev/null ${url}/$?`
}
