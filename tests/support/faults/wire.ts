import type { Fault } from './fault.ts'

/** Collects bytes, and returns each message that is complete. */
export type Splitter = (bytes: Buffer) => readonly Buffer[]

/** What a proxy has to know of a protocol. */
export interface Wire {
  /** Starts to split what a client sends. */
  calls(): Splitter
  /** Starts to split what a server sends. */
  answers(): Splitter
  /**
   * Whether a call only sets up its connection. Faults that concern one call spare it, since
   * otherwise no connection would come about, and no other call would be met.
   */
  isHandshake(call: Buffer): boolean
  /** The first part of an answer, up to the middle of its body. */
  half(answer: Buffer): Buffer
  /** The answer that a fault gives in place of the server. Throws if the protocol has none such. */
  forge(fault: Fault & { readonly kind: 'status' | 'error' }): Buffer
}

/** Splits by a function that returns where the first message ends, if it is complete. */
export function splitBy(endOf: (bytes: Buffer) => number | undefined): Splitter {
  let rest: Buffer = Buffer.alloc(0)
  return (bytes) => {
    rest = Buffer.concat([rest, bytes])
    const messages: Buffer[] = []
    for (let end = endOf(rest); end !== undefined; end = endOf(rest)) {
      messages.push(rest.subarray(0, end))
      rest = rest.subarray(end)
    }
    return messages
  }
}
