/** What happens to the calls of one isolate. Plain data, so that a sequence can be written down. */
export type Fault =
  /** Nothing. */
  | { readonly kind: 'none' }
  /** The connection is refused. */
  | { readonly kind: 'refuse' }
  /**
   * No answer, until another fault is set. Then the calls that hung run, as in a server that was
   * stopped and goes on, or are dropped with their connection, or stay without an answer.
   */
  | { readonly kind: 'hang'; readonly afterwards: 'run' | 'drop' | 'silence' }
  /** Something takes longer: the way of the call, or the way of its answer. */
  | { readonly kind: 'slow'; readonly ms: number; readonly holds: 'call' | 'answer' }
  /** The call runs, and its connection is reset before the answer. */
  | { readonly kind: 'lost' }
  /** An answer that is none. */
  | { readonly kind: 'garbage'; readonly runs: boolean }
  /** The server answers with an error. `reads`: commands that write nothing succeed. */
  | { readonly kind: 'error'; readonly text: string; readonly reads: boolean }
  /** Every n-th call meets another fault. */
  | { readonly kind: 'some'; readonly nth: number; readonly fault: CallFault }

/** A fault that one call meets. */
export type CallFault = Exclude<Fault, { readonly kind: 'some' }>

export const NO_FAULT: CallFault = { kind: 'none' }

/** Errors of a server that counts nothing. */
export const SERVER_ERRORS: readonly CallFault[] = [
  { kind: 'error', text: 'LOADING Redis is loading the dataset in memory', reads: false },
  { kind: 'error', text: 'CLUSTERDOWN The cluster is down', reads: false },
  {
    kind: 'error',
    text: "OOM command not allowed when used memory > 'maxmemory'.",
    reads: true,
  },
  { kind: 'error', text: "READONLY You can't write against a read only replica.", reads: true },
  { kind: 'error', text: 'ERR max daily request limit exceeded. Limit: 10000', reads: false },
]
