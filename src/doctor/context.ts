import type { Clock } from '../clock.ts'
import { codeIn, wordsIn } from '../stores/redis-protocol/redis-error.ts'
import { type Trouble, troubleOf } from './failure.ts'
import type { Patient } from './probe-target.ts'
import type { Check, Finding } from './report.ts'
import type { Patience } from './time-budget.ts'

/** What every check is given. */
export interface Examination {
  readonly patient: Patient
  readonly patience: Patience
  /** How the store is reached, which decides the words of a remedy. */
  readonly speaks: 'rest' | 'redis' | 'store'
  /** Where it is, if that is known. Never shown: it may hold a password. */
  readonly address: URL | undefined
  readonly prefix: string
  readonly clock: Clock
  readonly thresholds: Thresholds
}

export interface Thresholds {
  readonly probes: number
  /** In ms. */
  readonly maxLatency: number
  /** A part of 1. */
  readonly maxMemory: number
  /** A part of 1. */
  readonly maxErrors: number
  /** In ms. */
  readonly maxSkew: number
}

/** A finding for a check that got no answer. That a command is not permitted is never a failure. */
export function unanswered(check: Check, what: string, error: unknown): Finding {
  const { kind, said } = troubleOf(error)
  if (kind === 'forbidden') {
    return {
      check,
      level: 'info',
      says: `Not permitted to look: ${what} is refused to this token or user.`,
    }
  }
  if (kind === 'late') {
    return { check, level: 'info', says: `Not looked at: the time for all checks was used up.` }
  }
  if (kind === 'timeout') {
    return {
      check,
      level: 'warning',
      says: `${what} timed out: ${said}.`,
      remedy: OF_TIMEOUT,
    }
  }
  return { check, level: 'warning', says: `${what} failed: ${said}.`, remedy: OF_CONNECTION }
}

/** What to do about a check of which limits depend, by what was wrong. */
export function remedyOf({ kind, said }: Trouble): string {
  if (kind === 'timeout' || kind === 'late') return OF_TIMEOUT
  if (kind === 'unreachable' || kind === 'unauthorized') return OF_CONNECTION
  if (/^ERR max (?:daily |monthly )?request/.test(wordsIn(said))) return OF_QUOTA
  return REMEDIES[codeIn(said)] ?? 'Look the words up in the log of the server.'
}

const OF_TIMEOUT =
  'See what the server is busy with (SLOWLOG GET, INFO, its CPU), and whether a firewall on the way drops packets.'
const OF_CONNECTION =
  'See whether the server runs, and whether this machine and region may reach its host and port.'

const OF_QUOTA = 'The quota of the plan is used up: raise it, or wait for the next.'
const OF_CLUSTER = 'This is a node of a Redis Cluster: connect with a client for clusters.'

/** By the code of the reply. */
const REMEDIES: Readonly<Record<string, string>> = {
  OOM: 'Give the server more memory (maxmemory), or move what is not a count to a database of its own.',
  READONLY: 'Name the primary, or connect by Sentinel: a replica only reads.',
  MISCONF:
    'The server cannot save to its disk, so it takes no writes: see its log, and free the disk.',
  MOVED: OF_CLUSTER,
  CROSSSLOT: OF_CLUSTER,
  CLUSTERDOWN: OF_CLUSTER,
  LOADING: 'The server is loading its data set: wait, and look again.',
  BUSY: 'A script runs for too long on this server: SCRIPT KILL ends it.',
}
