/**
 * Changes the header fields of a response, or of a copy if they are immutable, as those of
 * responses from `fetch` and `Response.redirect` are. Leaves a response unchanged that cannot be
 * copied: an upgrade (101), a network error (0), and a response whose body has been read.
 */
export function changeHeaders(response: Response, change: (headers: Headers) => void): Response {
  try {
    change(response.headers)
    return response
  } catch {
    const { status, bodyUsed, body } = response
    if (status < 200 || bodyUsed || body?.locked) return response
    const copy = new Response(body, response)
    change(copy.headers)
    return copy
  }
}
