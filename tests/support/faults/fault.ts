/**
 * What a proxy does to the calls that pass it. A call is one HTTP request, or one Redis command.
 * Plain data, so that another process can be told.
 */
export type Fault =
  /** Passes everything on. */
  | { readonly kind: 'none' }
  /** Nobody listens: connecting fails at once, and open connections are reset. */
  | { readonly kind: 'refuse' }
  /**
   * Accepts connections and answers nothing. When another fault is set, calls that hung are passed
   * on, as by a server that was stopped and goes on, or are dropped with their connections.
   *
   * `afterwards`: 'pass' if left out
   */
  | { readonly kind: 'hang'; readonly afterwards?: 'pass' | 'drop' }
  /**
   * Adds a delay. `holds` says to what: to the answer of a call that runs at once, or to the call,
   * which then runs late, even after its client has hung up.
   *
   * `holds`: 'answer' if left out
   */
  | { readonly kind: 'slow'; readonly delay: Delay; readonly holds?: 'answer' | 'call' }
  /** The call runs; its answer breaks off in the middle of its body, and the connection ends. */
  | { readonly kind: 'cut' }
  /** The call runs; its connection is reset before an answer. */
  | { readonly kind: 'reset' }
  /** The call does not run; random bytes are the answer. */
  | { readonly kind: 'garbage' }
  /** The call does not run; this is the answer. HTTP only. */
  | {
      readonly kind: 'status'
      readonly status: number
      readonly body?: string
      readonly headers?: Readonly<Record<string, string>>
    }
  /** The command does not run; this error is the answer, such as `OOM command not allowed`. RESP only. */
  | { readonly kind: 'error'; readonly text: string }
  /**
   * Each call meets `fault` with this probability. A refused call has its connection reset before
   * it runs.
   */
  | { readonly kind: 'some'; readonly share: number; readonly fault: Exclude<Fault, Schedule> }
  /** `fault` for `downMs`, nothing for `upMs`, and so on. */
  | Schedule

export interface Schedule {
  readonly kind: 'flap'
  readonly downMs: number
  readonly upMs: number
  readonly fault: Exclude<Fault, Schedule>
}

/** In ms: always the same, evenly spread, or log-normal, which has a long tail. */
export type Delay =
  | number
  | { readonly from: number; readonly to: number }
  | { readonly median: number; readonly sigma: number }

/** A fault that can be decided for one call. */
export type CallFault = Exclude<Fault, Schedule | { readonly kind: 'some' }>

export const NO_FAULT: CallFault = { kind: 'none' }

/** Decides what one call meets. */
export function faultOfCall(fault: Fault, next: () => number): CallFault {
  if (fault.kind === 'flap') return NO_FAULT
  if (fault.kind !== 'some') return fault
  return next() < fault.share ? faultOfCall(fault.fault, next) : NO_FAULT
}

/** Draws one delay, in ms. */
export function drawDelay(delay: Delay, next: () => number): number {
  if (typeof delay === 'number') return delay
  if ('from' in delay) return delay.from + (delay.to - delay.from) * next()
  // Box and Muller's method gives a normally distributed number.
  const normal = Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next())
  return delay.median * Math.exp(delay.sigma * normal)
}
