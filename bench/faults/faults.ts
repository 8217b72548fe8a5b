import type { Fault } from '../../tests/support/faults/fault.ts'

/** One bad day: what the store does for a while. */
export interface BadDay {
  readonly name: string
  readonly title: string
  /** For stores over HTTP. */
  readonly http: Fault
  /** For Redis over TCP. */
  readonly tcp: Fault
  /** Whether the first isolate alone meets the fault. */
  readonly isFirstIsolateOnly?: boolean
}

const same = (fault: Fault) => ({ http: fault, tcp: fault })
const status = (status: number, error: string): Fault => ({
  kind: 'status',
  status,
  body: JSON.stringify({ error }),
  headers: { 'content-type': 'application/json' },
})
const error = (text: string): Fault => ({ kind: 'error', text })

export const GOOD_DAY: BadDay = { name: 'none', title: 'A good day', ...same({ kind: 'none' }) }

export const BAD_DAYS: readonly BadDay[] = [
  GOOD_DAY,
  { name: 'refused', title: 'Connections are refused', ...same({ kind: 'refuse' }) },
  { name: 'hang', title: 'The store hangs', ...same({ kind: 'hang' }) },
  {
    name: 'slow',
    title: 'Answers are slow: log-normal, median 200 ms, one in 20 over 1 s',
    ...same({ kind: 'slow', delay: { median: 200, sigma: 1 } }),
  },
  {
    name: 'just-in-time',
    title: 'Answers take 900 ms, just below the deadline',
    ...same({ kind: 'slow', delay: 900 }),
  },
  {
    name: 'too-late',
    title: 'Answers take 1,500 ms, beyond the deadline',
    ...same({ kind: 'slow', delay: 1500 }),
  },
  { name: 'cut', title: 'Commands run, and answers break off', ...same({ kind: 'cut' }) },
  { name: 'reset', title: 'Commands run, and connections are reset', ...same({ kind: 'reset' }) },
  { name: 'garbage', title: 'Answers are random bytes', ...same({ kind: 'garbage' }) },
  {
    name: 'loading',
    title: 'HTTP 503; over TCP LOADING',
    http: status(503, 'the database is being started'),
    tcp: error('LOADING Redis is loading the dataset in memory'),
  },
  {
    name: 'quota',
    title: 'HTTP 429, the quota is used up; over TCP OOM',
    http: status(429, 'ERR max daily request limit exceeded'),
    tcp: error("OOM command not allowed when used memory > 'maxmemory'."),
  },
  {
    name: 'read-only',
    title: 'HTTP 400 with READONLY; over TCP READONLY',
    http: status(400, "READONLY You can't write against a read only replica."),
    tcp: error("READONLY You can't write against a read only replica."),
  },
  {
    name: 'half',
    title: 'Half of the calls fail: they run, and the connection is reset',
    ...same({ kind: 'some', share: 0.5, fault: { kind: 'reset' } }),
  },
  {
    name: 'flap',
    title: 'The store hangs for 2 s, answers for 2 s, and so on',
    ...same({ kind: 'flap', downMs: 2000, upMs: 2000, fault: { kind: 'hang' } }),
  },
  {
    name: 'one-isolate',
    title: 'One isolate of four is cut off: connections are refused',
    ...same({ kind: 'refuse' }),
    isFirstIsolateOnly: true,
  },
]
