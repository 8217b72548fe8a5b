import { readFileSync } from 'node:fs'
import { request } from 'node:http'
import { Redis } from 'ioredis'
import { afterAll, describe, expect, inject, test } from 'vitest'
import { commandFilter, DEFAULT_COMMANDS } from '../../src/gateway/command-filter.ts'
import { readSettings } from '../../src/gateway/settings.ts'
import { startGateway as startProgram } from '../../src/gateway/start.ts'
import { upstash } from '../../src/stores/upstash.ts'
import { startGateway } from '../support/gateway-server.ts'
import { spawnRedis } from '../support/redis-server.ts'

const gateway = await startGateway(inject('redisUrl'), { allow: [], verbose: true })
const open = await startGateway(inject('redisUrl'), { allow: ['all'] })
const wider = await startGateway(inject('redisUrl'), { allow: ['scan', 'config|get'] })
/** A gateway started as by the command line: no code of the tests reads the requests first. */
const token = crypto.randomUUID()
const program = {
  token,
  ...(await startProgram(
    readSettings(['--redis', inject('redisUrl'), '--token', token, '--port', '0'], {}),
    () => {},
  )),
}
const key = `security-${crypto.randomUUID()}`
afterAll(async () => {
  await gateway.redis.del(key)
  await Promise.all([gateway.stop(), open.stop(), wider.stop(), program.stop()])
})

const send = (
  { url, token }: { readonly url: string; readonly token: string },
  path: string,
  body: unknown,
  headers: Record<string, string> = {},
) =>
  fetch(`${url}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })

/** The commands that Redis got, without INFO and the probe's EVAL of new connections. */
async function countCommands() {
  const stats = await gateway.redis.info('commandstats')
  return [...stats.matchAll(/cmdstat_(?!info|eval:)\S+?:calls=(\d+)/g)].reduce(
    (sum, [, calls]) => sum + Number(calls),
    0,
  )
}

describe('without the token', () => {
  const paths = ['/', '/pipeline', '/multi-exec', '/ping', '/anything', '/healthz/']

  test('nobody gets anything, on any route', async () => {
    const before = await countCommands()
    for (const path of paths) {
      for (const authorization of [
        '',
        'Bearer',
        'Bearer ',
        'Bearer wrong',
        gateway.token,
        `Basic ${gateway.token}`,
        `Bearer ${gateway.token}x`,
        `Bearer ${gateway.token.slice(0, -1)}`,
        `Bearer ${gateway.token} x`,
        `Bearer ${gateway.token.slice(0, -1)}_`,
        `Bearer _${gateway.token.slice(1)}`,
        `Bearer ${'_'.repeat(gateway.token.length)}`,
      ]) {
        const response = await send(gateway, path, [['PING']], { authorization })
        expect(response.status).toBe(401)
        expect(await response.json()).toEqual({ error: 'Unauthorized' })
        expect(response.headers.get('upstash-sync-token')).toBeNull()
      }
    }
    expect((await fetch(`${gateway.url}/ping?_token=`)).status).toBe(401)
    expect((await fetch(gateway.url, { method: 'DELETE' })).status).toBe(401)
    expect(await countCommands()).toBe(before)
  })

  test('of several tokens each is one, whatever their lengths, and no part of one', async () => {
    const [short, long] = ['a'.repeat(16), 'a'.repeat(40)]
    const flags = ['--redis', inject('redisUrl'), '--token', `${short},${long}`, '--port', '0']
    const { url, stop } = await startProgram(readSettings(flags, {}), () => {})
    const isKnown = async (token: string) =>
      (await fetch(`${url}/no-command?_token=${token}`)).status !== 401
    try {
      for (const token of [short, long]) expect(await isKnown(token)).toBe(true)
      for (const token of ['a'.repeat(17), 'a'.repeat(39), 'a'.repeat(41), `${short}%00`, 'ö']) {
        expect(await isKnown(token)).toBe(false)
      }
    } finally {
      await stop()
    }
  })

  test('a body is not even read', async () => {
    const { hostname, port } = new URL(program.url)
    const status = await new Promise((resolve, reject) => {
      const asking = request({ hostname, port, method: 'POST', path: '/' }, (response) => {
        resolve(response.statusCode)
        asking.destroy()
      })
      asking.on('error', reject)
      asking.write('[')
    })
    expect(status).toBe(401)
  })

  test('all may ask whether the gateway is up, and learn no more', async () => {
    const response = await fetch(`${gateway.url}/healthz`)
    expect([response.status, await response.text()]).toEqual([200, 'ok'])
    expect(response.headers.get('upstash-sync-token')).toBeNull()
  })
})

test('no method but HEAD, GET, POST and PUT is answered', async () => {
  const headers = { authorization: `Bearer ${gateway.token}` }
  for (const method of ['DELETE', 'PATCH', 'OPTIONS']) {
    expect((await fetch(`${gateway.url}/ping`, { method, headers })).status).toBe(405)
  }
})

describe('a body of more than 10 MB', () => {
  const large = JSON.stringify(['SET', key, 'x'.repeat(10 * 1024 * 1024)])
  const error = expect.stringContaining('ERR max request size exceeded. Limit: 10485760 bytes')

  test('is refused by its length', async () => {
    const response = await send(program, '/', large)
    expect(response.status).toBe(413)
    expect(await response.json()).toEqual({ error })
  })

  test('is refused while it comes, when it does not say its length', async () => {
    const response = await fetch(program.url, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      body: new Blob([large]).stream(),
      duplex: 'half',
    } as RequestInit)
    expect(response.status).toBe(413)
    expect(await response.json()).toEqual({ error })
  })
})

describe('of the commands', () => {
  const refused = async (where: typeof gateway, command: readonly unknown[]) => {
    const response = await send(where, '/', command)
    const { error } = (await response.json()) as { error?: string }
    return response.status === 400 && `${error}`.startsWith('ERR Command is not available')
  }

  test('those pass that limiting needs', async () => {
    expect([...DEFAULT_COMMANDS].sort()).toEqual([
      ...['DECR', 'DECRBY', 'DEL', 'EVAL', 'EVALSHA', 'EXISTS', 'EXPIRE', 'GET', 'INCR', 'INCRBY'],
      ...['PEXPIRE', 'PING', 'PTTL', 'SCRIPT|LOAD', 'SET', 'TIME', 'TTL'],
    ])
    for (const command of DEFAULT_COMMANDS) {
      expect(await refused(gateway, command.toLowerCase().split('|'))).toBe(false)
    }
    const store = upstash(gateway, { prefix: key })
    const demand = { policy: '', client: 'a', limit: 1, window: 1000, cost: 1 }
    expect(await store.take([demand])).toMatchObject([{ granted: 1 }])
    expect(await store.take([demand])).toMatchObject([{ granted: 0 }])
  })

  test('none passes that destroys, reveals or controls', async () => {
    const commands = [
      ...[
        ['FLUSHALL'],
        ['flushall'],
        ['FLUSHDB'],
        ['CONFIG', 'GET', '*'],
        ['KEYS', '*'],
        ['DEBUG'],
      ],
      ...[
        ['SCRIPT', 'FLUSH'],
        ['SCRIPT', 'KILL'],
        ['SCRIPT'],
        ['SHUTDOWN'],
        ['SCAN', 0],
        ['INFO'],
        ['ACL'],
      ],
      ...[
        ['FUNCTION'],
        ['MIGRATE'],
        ['REPLICAOF'],
        ['SLAVEOF'],
        ['SAVE'],
        ['DUMP', key],
        ['RENAME'],
      ],
      ...[
        ['MODULE'],
        ['CLUSTER'],
        ['RANDOMKEY'],
        ['SORT'],
        ['COPY'],
        ['EVAL_RO'],
        ['nonsense'],
        [''],
      ],
    ]
    for (const command of commands) expect(await refused(gateway, command)).toBe(true)
    expect((await fetch(`${gateway.url}/flushall?_token=${gateway.token}`)).status).toBe(400)
  })

  test('one that is refused is named as the flag that passes it on, and that alone, wants it', async () => {
    for (const [command, name, flag] of [
      [['KEYS', '*'], 'KEYS', '--allow keys'],
      [['script', 'exists', 'x'], 'script|exists', "--allow 'script|exists'"],
      [['XGROUP', 'CREATE', key, 'g', '$'], 'xgroup|create', "--allow 'xgroup|create'"],
      [['CONFIG', 'Get', '*'], 'config|get', "--allow 'config|get'"],
      [['FUNCTION', 'LOAD', 'x'], 'function|load', "--allow 'function|load'"],
    ] as const) {
      const { error } = await (await send(gateway, '/', command)).json()
      const start = `ERR Command is not available: '${name}'.`
      expect(error).toBe(`${start} To allow it, start the gateway with ${flag}`)
    }
    const followed = await startGateway(inject('redisUrl'), { allow: ['script|exists'] })
    try {
      expect(await refused(followed, ['SCRIPT', 'EXISTS', 'x'])).toBe(false)
      expect(await refused(followed, ['SCRIPT', 'FLUSH'])).toBe(true)
    } finally {
      await followed.stop()
    }
    const { error } = await (await send(open, '/', ['SCRIPT', 'DEBUG', 'YES'])).json()
    expect(error).toContain("'script|debug'. It would change or block the connection")
  })

  test('nothing is suggested that would pass more than was asked for, or that is no command', async () => {
    const known = (await gateway.redis.call('COMMAND', 'INFO')) as readonly (readonly unknown[])[]
    const containers = known.filter(([, , , , , , , , , subcommands]) => `${subcommands}` !== '')
    expect(containers.length).toBeGreaterThan(10)
    for (const name of [...containers.map(([name]) => `${name}`), 'debug', 'ft.config']) {
      if (name === 'client') continue
      const upper = name.toUpperCase()
      const { error } = await (await send(gateway, '/', [name])).json()
      expect(error).toBe(`ERR Command is not available: '${upper}'. A subcommand is missing`)
      const help = (await (await send(gateway, '/', [name, 'HELP'])).json()).error
      expect(help).toMatch(RegExp(` start the gateway with --allow '${name}\\|help'$`))
    }
    for (const name of ['all', 'ALL', 'GET KEY', '', 'get,all', '--allow', '*', 'a|b|c']) {
      const { error } = await (await send(gateway, '/', [name])).json()
      const start = `ERR Command is not available: '${name.toUpperCase()}'.`
      expect(error).toBe(`${start} This is not the name of a command`)
    }
    for (const subcommand of ['', ' ', 'a b', 'load|all']) {
      const { error } = await (await send(gateway, '/', ['SCRIPT', subcommand])).json()
      expect(error).toBe(
        `ERR Command is not available: 'script|${subcommand}'. This is not the name of a command`,
      )
    }
  })

  test('one that is refused fails alone in a pipeline, and all of a transaction', async () => {
    await gateway.redis.del(key)
    const commands = [['INCR', key], ['FLUSHALL'], ['INCR', key]]
    expect(await (await send(gateway, '/pipeline', commands)).json()).toEqual([
      { result: 1 },
      { error: expect.stringContaining("'FLUSHALL'") },
      { result: 2 },
    ])
    expect((await send(gateway, '/multi-exec', commands)).status).toBe(400)
    expect(await gateway.redis.get(key)).toBe('2')
  })

  test('--allow passes what it names, and of a subcommand no other', async () => {
    expect(await refused(wider, ['SCAN', '0', 'COUNT', '1'])).toBe(false)
    expect(await refused(wider, ['config', 'get', 'maxmemory'])).toBe(false)
    expect(await refused(wider, ['CONFIG', 'SET', 'maxmemory', '0'])).toBe(true)
    expect(await refused(wider, ['CONFIG'])).toBe(true)
    expect(await refused(wider, ['INFO'])).toBe(true)
    expect(await refused(open, ['CONFIG', 'GET', 'maxmemory'])).toBe(false)
  })

  test('not even --allow all passes what would change or block the connection of all', async () => {
    const commands = [
      ...[['MULTI'], ['exec'], ['DISCARD'], ['WATCH', key], ['UNWATCH'], ['SELECT', '1']],
      ...[
        ['SUBSCRIBE', 'x'],
        ['PSUBSCRIBE', 'x'],
        ['SSUBSCRIBE', 'x'],
        ['UNSUBSCRIBE'],
        ['MONITOR'],
      ],
      ...[['AUTH', 'x'], ['HELLO', '3'], ['RESET'], ['QUIT'], ['CLIENT', 'REPLY', 'OFF'], ['SYNC']],
      ...[['PSYNC'], ['BLPOP', key, 0], ['BRPOP', key, 0], ['BLMOVE'], ['BZPOPMIN', key, 0]],
      ...[['WAIT', 1, 0], ['WAITAOF'], ['SCRIPT', 'DEBUG', 'YES'], ['READONLY']],
      ...[
        ['XREAD', 'BLOCK', 0, 'STREAMS', key, '$'],
        ['xreadgroup', 'group', 'a', 'b', 'block', 0],
      ],
    ]
    for (const command of commands) expect(await refused(open, command)).toBe(true)
    expect(await refused(open, ['XREAD', 'STREAMS', key, '0'])).toBe(false)
    expect(await refused(open, ['XREAD', 'STREAMS', 'block', '0'])).toBe(false)
    const named = ['XREADGROUP', 'GROUP', 'streams', 'a', 'BLOCK', 0, 'STREAMS', key, '>']
    expect(await refused(open, named)).toBe(true)
    for (const name of ['client', 'client|getname', 'script|debug', 'constructor']) {
      expect(() => commandFilter([name])).toThrow(
        /^--allow: expected no command that would change or block the connection/,
      )
    }
    expect(() => commandFilter(['script|load'])).not.toThrow()
    expect(() => commandFilter(['no command'])).toThrow(/^--allow: expected names of commands/)
    expect(await (await send(open, '/', ['PING'])).json()).toEqual({ result: 'PONG' })
  })
})

test('the names that every object has are no commands, and cost nobody the connection', async () => {
  const server = await spawnRedis()
  const own = await startGateway(server.url, { allow: ['all'] })
  try {
    for (const name of ['constructor', '__proto__', 'Constructor']) {
      const response = await send(own, '/', [name])
      expect(response.status).toBe(400)
      expect((await response.json()).error).toContain('ERR Command is not available')
    }
    await own.redis.call('CLIENT', 'KILL', 'TYPE', 'NORMAL', 'SKIPME', 'YES')
    await expect
      .poll(async () => (await send(own, '/', ['PING'])).json(), { timeout: 10_000 })
      .toEqual({ result: 'PONG' })
  } finally {
    await own.stop()
    await server.stop()
  }
})

test('a --host that is no address or name is refused, an empty one above all: it opens all', () => {
  const hostOf = (host: string) => readSettings(['--token', token, '--host', host], {}).host
  expect(() => hostOf('')).toThrow(/^--host: expected .+, got ""/)
  for (const host of [' ', 'a b', '[::1]', '127.0.0.1:80', 'http://127.0.0.1', 'u:p@127.0.0.1']) {
    expect(() => hostOf(host)).toThrow(/^--host: expected .+, got/)
  }
  for (const host of ['0.0.0.0', '::', '::1', 'fe80::1%lo', 'localhost', 'my_host.internal.']) {
    expect(hostOf(host)).toBe(host)
  }
})

test('the log of every request holds neither key nor token nor command', async () => {
  const from = gateway.log.length
  await fetch(`${gateway.url}/get/${key}?_token=${gateway.token}`)
  await fetch(`${gateway.url}/${key}?_token=wrong-${gateway.token}`)
  await send(gateway, '/', ['SET', key, 'secret-value'])
  await send(gateway, '/pipeline', [['GET', key]])
  await send(gateway, '/', ['SHUTDOWN', key])
  const lines = gateway.log.slice(from)
  expect(lines.map((line) => line.replace(/[\d.]+ ms$/, '… ms'))).toEqual([
    'GET /… 200 … ms',
    'GET /… 401 … ms',
    'POST / 200 … ms',
    'POST /pipeline 200 … ms',
    'POST / 400 … ms',
  ])
})

describe('the ACL user of docs/gateway.md', () => {
  const rules = /ACL SETUSER tidegate (.*)$/m.exec(readFileSync('docs/gateway.md', 'utf8'))?.[1]

  test('is the one of the compose file', () => {
    const compose = readFileSync('examples/gateway/compose.yaml', 'utf8')
    const user = /--user tidegate (.*)$/m.exec(compose)?.[1] ?? ''
    // biome-ignore lint/suspicious/noTemplateCurlyInString: Compose puts the variable in.
    expect(user.replace('${REDIS_PASSWORD:?set it in .env}', '<password>')).toBe(rules)
  })

  test('may limit, and do no harm even by a script', async () => {
    const server = await spawnRedis()
    const admin = new Redis(server.url)
    const user = (rules ?? '').replace('<password>', 'pass-word').split(' ')
    await admin.call('ACL', 'SETUSER', 'tidegate', ...user)
    const limited = await startGateway(server.url.replace('//', '//tidegate:pass-word@'), {
      allow: ['all'],
    })
    try {
      const store = upstash(limited)
      const demand = { policy: 'a', client: 'b', limit: 2, window: 60_000, cost: 1 }
      for (const granted of [1, 1, 0]) {
        expect(await store.take([demand])).toMatchObject([{ granted }])
      }
      const loaded = await (await send(limited, '/', ['SCRIPT', 'LOAD', 'return 1'])).json()
      expect(loaded).toEqual({ result: expect.stringMatching(/^[\da-f]{40}$/) })
      await admin.set('other', 'safe')
      for (const [command, words] of [
        [['EVAL', 'return redis.call("FLUSHALL")', 0], "can't run this command"],
        [['EVAL', 'return redis.call("GET", "other")', 0], "can't access at least one of the keys"],
        [['EVAL', 'return redis.call("SCAN", "0")', 0], "can't run this command"],
        [['GET', 'other'], 'NOPERM'],
        [['CONFIG', 'GET', '*'], 'NOPERM'],
        [['SCRIPT', 'FLUSH'], 'NOPERM'],
      ] as const) {
        const { error } = await (await send(limited, '/', command)).json()
        expect(error).toContain(words)
      }
      expect(await admin.get('other')).toBe('safe')
    } finally {
      await limited.stop()
      admin.disconnect()
      await server.stop()
    }
  })
})
