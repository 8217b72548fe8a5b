import { rateLimit } from 'tidegate/next'

export const middleware = rateLimit({ limit: 100, window: '1m' })
export const config = { matcher: '/api/:path*' }
