export default defineEventHandler(async (event) => ({
  hello: (event.method === 'POST' && (await readRawBody(event))) || 'world',
}))
