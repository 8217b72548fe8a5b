import type { APIRoute } from 'astro'

export const GET: APIRoute = () => Response.json({ hello: 'world' })

export const POST: APIRoute = async ({ request }) => Response.json({ hello: await request.text() })
