export function GET() {
  return Response.json({ hello: 'world' })
}

export async function POST(request: Request) {
  return Response.json({ hello: await request.text() })
}
