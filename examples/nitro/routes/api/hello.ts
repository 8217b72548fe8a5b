import { defineHandler } from 'nitro/h3'

export default defineHandler(async ({ req }) => ({ hello: (await req.text()) || 'world' }))
