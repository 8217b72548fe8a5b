import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { startOrigin } from './origin.ts'

/** A WSGI application that answers with all fields of the request, as WSGI names them. */
const PROGRAM = `
import json
from wsgiref.simple_server import make_server
def application(environ, start_response):
    start_response('200 OK', [('Content-Type', 'application/json')])
    fields = {name: text for name, text in environ.items() if name.startswith('HTTP_')}
    return [json.dumps(fields).encode()]
server = make_server('127.0.0.1', 0, application)
print(server.server_port, flush=True)
server.serve_forever()
`

/**
 * A WSGI origin: Python's own where there is a python3, else a model of it. Each field arrives as
 * `HTTP_` and its name in capitals, with every `-` read as `_` (PEP 3333, RFC 3875 §4.1.18).
 */
export async function startWsgi() {
  const child = spawn('python3', ['-c', PROGRAM], { stdio: ['ignore', 'pipe', 'ignore'] })
  const port = await portOf(child)
  if (port === undefined) return startModel()
  return {
    url: `http://127.0.0.1:${port}`,
    async stop() {
      child.kill()
      await once(child, 'exit')
    },
  }
}

/** Where the program listens; nothing where it does not start. */
function portOf(child: ChildProcess): Promise<string | undefined> {
  return new Promise((resolve) => {
    child.once('error', () => resolve(undefined))
    if (child.stdout === null) return resolve(undefined)
    const lines = createInterface(child.stdout)
    lines.once('line', resolve)
    lines.once('close', () => resolve(undefined))
  })
}

const startModel = () =>
  startOrigin(({ rawHeaders }, response) => {
    const fields: Record<string, string> = {}
    for (let at = 0; at < rawHeaders.length; at += 2) {
      const name = `HTTP_${rawHeaders[at]?.toUpperCase().replaceAll('-', '_')}`
      fields[name] = (fields[name] ? `${fields[name]},` : '') + rawHeaders[at + 1]
    }
    response.end(JSON.stringify(fields))
  })
