import { headers } from 'next/headers'

export default async function Page() {
  const id = (await headers()).get('x-request-id')
  return <p>Request {id ?? 'without an id'}</p>
}
