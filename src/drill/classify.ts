/** What a status says about the limit. It says nothing if both are false. */
export interface Classified {
  /** Whether the response is the success of the route. */
  readonly isPassed: boolean
  /** Whether the limit refused the request. */
  readonly isRefused: boolean
}

/**
 * Returns a function that classifies the status of each response of a drill, in their order.
 *
 * A limiter may refuse with 503, as nginx does by default. A server that is out of order sends 503
 * too, so 503 is a refusal only after a success, and never if there was a 429.
 *
 * @param expected the success of the route; `undefined` for any of 2xx, and 304
 */
export function createClassifier(expected: number | undefined) {
  let hasPassed = false
  let hasTooMany = false
  return function classify(status: number): Classified {
    const isSuccess = (status >= 200 && status < 300) || status === 304
    const isPassed = expected === undefined ? isSuccess : status === expected
    hasPassed ||= isPassed
    hasTooMany ||= status === 429
    return { isPassed, isRefused: status === 429 || (status === 503 && hasPassed && !hasTooMany) }
  }
}
