import { codeIn, wordsIn } from '../stores/redis-protocol/redis-error.ts'
import { type Failure, failureOf } from './failure.ts'
import type { Check, Finding } from './report.ts'

/**
 * Returns the finding for a check that got no answer. A forbidden command is information, not a
 * failure.
 */
export function unansweredFinding(check: Check, what: string, error: unknown): Finding {
  const { kind, message } = failureOf(error)
  if (kind === 'forbidden') {
    return {
      check,
      level: 'info',
      says: `Not checked: this token or user may not use ${what}.`,
      isSkipped: true,
    }
  }
  if (kind === 'late') {
    const says = 'Not checked: the time for all checks is used up.'
    return { check, level: 'info', says, isSkipped: true }
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
  return REMEDIES[codeIn(message)] ?? 'Search the log of the server for this error.'
}

const TIMEOUT_REMEDY =
  'Check what keeps the server busy (SLOWLOG GET, INFO, its CPU), and whether a firewall drops packets.'
const CONNECTION_REMEDY =
  'Check that the server runs, and that this machine and region can reach its host and port.'

const QUOTA_REMEDY = 'The quota of the plan is used up: raise it, or wait until it renews.'
const CLUSTER_REMEDY = 'This is a node of a Redis Cluster: connect with a cluster client.'

/** By the code of the error reply. */
const REMEDIES: Readonly<Record<string, string>> = {
  OOM: 'Raise maxmemory, or move other data to another Redis.',
  READONLY: 'Connect to the primary, or through Sentinel: a replica rejects writes.',
  MISCONF:
    'The server cannot save to its disk, so it rejects writes: see its log, and free disk space.',
  MOVED: CLUSTER_REMEDY,
  CROSSSLOT: CLUSTER_REMEDY,
  CLUSTERDOWN: CLUSTER_REMEDY,
  LOADING: 'The server is loading its data set: wait, and run the doctor again.',
  BUSY: 'A script has been running for too long on this server: end it with SCRIPT KILL.',
}
