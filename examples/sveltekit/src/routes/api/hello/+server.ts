import type { RequestHandler } from './$types'

export const GET: RequestHandler = () => Response.json({ hello: 'world' })

export const POST: RequestHandler = async ({ request }) =>
  Response.json({ hello: await request.text() })
