/** The paths of the Worker that are limited, each in another way. */
export const LIMITED_PATHS = [
  'strict',
  'lease',
  'batch',
  'several',
  'open',
  'fresh',
  'object',
] as const

export type LimitedPath = (typeof LIMITED_PATHS)[number]

/** The paths through which the soak looks into an isolate. */
export const CONTROL = {
  watch: '/-/watch',
  reject: '/-/reject',
  objects: '/-/objects',
  fill: '/-/fill',
  stall: '/-/stall',
} as const

/** The header field that names the client. */
export const CLIENT_FIELD = 'x-client'

/** The header field with the time, in ms, that a request spent in the Worker: its check. */
export const INSIDE_FIELD = 'x-inside'
