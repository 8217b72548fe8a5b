import { codeIn, wordsIn } from '../stores/redis-protocol/redis-error.ts'
import { type Failure, failureOf } from './failure.ts'
import type { Check, Finding } from './report.ts'

/**
 * The finding of a check that got no answer. A command that is not permitted is never a failure.
 */
export function unansweredFinding(check: Check, what: string, error: unknown): Finding {
  const { kind, message } = failureOf(error)
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
      says: `${what} timed out: ${message}.`,
      remedy: TIMEOUT_REMEDY,
    }
  }
  return { check, level: 'warning', says: `${what} failed: ${message}.`, remedy: CONNECTION_REMEDY }
}

/** What to do about the failure of a check without which limits do not work. */
export function remedyFor({ kind, message }: Failure): string {
  if (kind === 'timeout' || kind === 'late') return TIMEOUT_REMEDY
  if (kind === 'unreachable' || kind === 'unauthorized') return CONNECTION_REMEDY
  if (/^ERR max (?:daily |monthly )?request/.test(wordsIn(message))) return QUOTA_REMEDY
  return REMEDIES[codeIn(message)] ?? 'Look the words up in the log of the server.'
}

const TIMEOUT_REMEDY =
  'See what the server is busy with (SLOWLOG GET, INFO, its CPU), and whether a firewall on the way drops packets.'
const CONNECTION_REMEDY =
  'See whether the server runs, and whether this machine and region may reach its host and port.'

const QUOTA_REMEDY = 'The quota of the plan is used up: raise it, or wait for the next.'
const CLUSTER_REMEDY = 'This is a node of a Redis Cluster: connect with a client for clusters.'

/** By the code of the error reply. */
const REMEDIES: Readonly<Record<string, string>> = {
  OOM: 'Give the server more memory (maxmemory), or move what is not a count to a database of its own.',
  READONLY: 'Name the primary, or connect by Sentinel: a replica only reads.',
  MISCONF:
    'The server cannot save to its disk, so it takes no writes: see its log, and free the disk.',
  MOVED: CLUSTER_REMEDY,
  CROSSSLOT: CLUSTER_REMEDY,
  CLUSTERDOWN: CLUSTER_REMEDY,
  LOADING: 'The server is loading its data set: wait, and look again.',
  BUSY: 'A script runs for too long on this server: SCRIPT KILL ends it.',
}
