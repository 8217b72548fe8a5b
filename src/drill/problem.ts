import type { DrillContext } from './context.ts'
import { type Finding, notExamined } from './report.ts'
import { quote } from './secrets.ts'
import type { Answer } from './session.ts'

const check = 'problem'

/** The problem type of draft 11, §5. */
const QUOTA_EXCEEDED = 'https://iana.org/assignments/http-problem-types#quota-exceeded'

/** Whether the body of a refusal is a problem (RFC 9457) that agrees with the header fields. */
export function checkProblem({ burst: { answers }, settings }: DrillContext): Finding {
  const refused = answers.find(({ isRefused }) => isRefused)
  if (refused === undefined) return notExamined(check, 'No request was refused')
  const control = refused.headers.get('cache-control') ?? ''
  if (/\b(?:public|s-maxage=[1-9]|max-age=[1-9])/i.test(control) && !/no-store/i.test(control)) {
    return wrong(
      'Caches may store the refusal, and RFC 6585 §4 forbids that.',
      'Send Cache-Control: no-store with a 429.',
    )
  }
  if (mediaTypeOf(refused) !== 'application/problem+json') {
    return {
      check,
      level: 'info',
      says: `The body of the ${refused.status} is ${quote(writtenType(refused), settings.secrets, 60) || 'of no type'}, and not application/problem+json.`,
    }
  }
  const body = parseObject(refused.body)
  if (body === undefined) {
    return wrong(
      'The body is application/problem+json, but not a JSON object.',
      'Send the problem as a JSON object (RFC 9457).',
    )
  }
  const contradiction = findContradiction(body, refused, settings.cost)
  if (contradiction !== undefined) {
    return wrong(contradiction, 'Write the body from the same decision as the header fields.')
  }
  const isTyped = body.type === QUOTA_EXCEEDED
  return {
    check,
    level: isTyped ? 'ok' : 'info',
    says: isTyped
      ? `The ${refused.status} has the problem quota-exceeded, which agrees with the fields.`
      : `The ${refused.status} has a problem of another type than quota-exceeded of draft 11.`,
  }
}

/** The media type as the server wrote it. */
const writtenType = ({ headers }: Answer) =>
  (headers.get('content-type') ?? '').split(';')[0]?.trim() ?? ''

export const mediaTypeOf = (answer: Answer) => writtenType(answer).toLowerCase()

const wrong = (says: string, remedy: string): Finding => ({ check, level: 'failure', says, remedy })

type Body = Readonly<Record<string, unknown>>

function parseObject(text: string): Body | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value))
      : undefined
  } catch {
    return undefined
  }
}

function findContradiction(
  body: Body,
  { status, fields }: Answer,
  cost: number,
): string | undefined {
  if (body.status !== undefined && body.status !== status) {
    return `The body has status ${typeof body.status === 'number' ? body.status : 'that is no number'}, and the response has ${status}.`
  }
  const { retryAfter, states, quotas } = fields
  const [, seconds] = /\b(\d{1,9}) seconds?\b/.exec(`${body.detail}`) ?? []
  if (
    seconds !== undefined &&
    retryAfter !== undefined &&
    Math.abs(Number(seconds) - retryAfter) > 1
  ) {
    return `The body says ${seconds} seconds, and Retry-After is ${retryAfter}.`
  }
  const violated = body['violated-policies']
  if (violated === undefined) return undefined
  if (!Array.isArray(violated) || violated.length === 0) {
    return 'The member violated-policies is not a list of names.'
  }
  const names = quotas.map(({ name }) => name)
  if (names.length > 0 && !violated.every((name) => names.includes(`${name}`))) {
    return 'The member violated-policies names a policy that RateLimit-Policy does not show.'
  }
  const left = states.find(({ name, remaining }) => violated.includes(name) && remaining >= cost)
  return (
    left &&
    `The member violated-policies names a policy that has ${left.remaining} units left by RateLimit.`
  )
}
