import { type NextRequest, NextResponse } from 'next/server'
import { ip } from 'tidegate'
import { rateLimit } from 'tidegate/next'

/** Your existing middleware. This one adds a request ID that the page shows. */
function withRequestId(request: NextRequest) {
  const headers = new Headers(request.headers)
  headers.set('x-request-id', crypto.randomUUID())
  return NextResponse.next({ request: { headers } })
}

export const proxy = rateLimit(
  {
    limit: 100,
    window: '1m',
    // Self-hosted, behind one proxy that appends the client's address. On Vercel leave this out.
    client: ip({ trustedHops: 1 }),
    // The browser's own prefetches.
    skipPrefetches: true,
  },
  withRequestId,
)

export const config = {
  matcher: [
    {
      source: '/((?!_next/).*)',
      // The App Router's prefetches, which only the matcher can detect.
      missing: [{ type: 'header', key: 'next-router-prefetch' }],
    },
  ],
}
