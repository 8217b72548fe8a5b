import { EventEmitter } from 'node:events'
import { expect, test } from 'vitest'
import { enforceSocketTimeout } from '../../src/stores/redis-protocol/socket-timeout.ts'
import { manualClock } from '../../src/testing/index.ts'

/** A connection that may be silent for 2 s, in virtual time. */
function connection() {
  const clock = manualClock()
  const errors: Error[] = []
  const socket = Object.assign(new EventEmitter(), {
    stream: { destroy: (error: Error) => errors.push(error) },
  })
  const awaitReply = enforceSocketTimeout(socket, 2000, { clock, timer: clock.timer })
  return { clock, socket, awaitReply, errors }
}

/** A reply, and how it arrives. */
function pendingReply() {
  let resolve = () => {}
  const reply = new Promise<void>((fulfil) => {
    resolve = fulfil
  })
  return {
    reply,
    async arrive() {
      resolve()
      for (let turn = 0; turn < 5; turn++) await undefined
    },
  }
}

test('a connection without any reply is closed after its time, and not before', () => {
  const { clock, awaitReply, errors } = connection()
  void awaitReply(pendingReply().reply)
  clock.advance(1999)
  expect(errors).toEqual([])
  clock.advance(1)
  expect(errors).toEqual([new Error('no answer within 2000 ms')])
})

test('each reply gives the others their whole time again', async () => {
  const { clock, awaitReply, errors } = connection()
  const first = pendingReply()
  void awaitReply(first.reply)
  void awaitReply(pendingReply().reply)
  clock.advance(1500)
  await first.arrive()
  clock.advance(1999)
  expect(errors).toEqual([])
  clock.advance(1)
  expect(errors).toHaveLength(1)
})

test('a connection that owes no reply may be silent', async () => {
  const { clock, awaitReply, errors } = connection()
  const only = pendingReply()
  void awaitReply(only.reply)
  clock.advance(1000)
  await only.arrive()
  clock.advance(60_000)
  expect(errors).toEqual([])
})

test('a handshake has the same time', async () => {
  const { clock, socket, errors } = connection()
  socket.emit('connect')
  clock.advance(1000)
  socket.emit('ready')
  await pendingReply().arrive()
  clock.advance(60_000)
  expect(errors).toEqual([])
  socket.emit('connect')
  clock.advance(2000)
  expect(errors).toHaveLength(1)
})
