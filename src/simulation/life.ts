/** One life of a key: from the command that made it to its expiry or loss. */
export interface Life {
  count: number
  /** The last millisecond of it, by the server's clock; nothing while it never expires. */
  endsAt: number | undefined
}
