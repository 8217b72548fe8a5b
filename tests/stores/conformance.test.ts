import { Redis } from '@upstash/redis/cloudflare'
import { Redis as Redis131 } from 'upstash-redis-1.31.1/cloudflare'
import { describe, inject, test } from 'vitest'
import { deadline } from '../../src/isolate/deadline.ts'
import { fallback } from '../../src/isolate/fallback.ts'
import { known } from '../../src/isolate/known.ts'
import { lease } from '../../src/isolate/lease.ts'
import { memory } from '../../src/stores/memory.ts'
import { upstash } from '../../src/stores/upstash.ts'
import { storeConformance } from '../../src/testing/index.ts'
import { behind, memorySubject } from '../support/subjects.ts'

describe('store: memory', () => {
  storeConformance({ test, make: memorySubject })
})

const plain = () => inject('gateway')
const locking = () => inject('upstash')

describe('store: upstash over Redis', () => {
  storeConformance({ test, ...behind(plain, upstash) })
})

describe('store: upstash over a server that locks by key', () => {
  storeConformance({
    test,
    ...behind(locking, (endpoint, options) => upstash(endpoint, { ...options, keyLocking: true })),
  })
})

describe('store: upstash with a client of @upstash/redis', () => {
  storeConformance({
    test,
    ...behind(plain, (endpoint, options) => upstash(new Redis(endpoint), options)),
  })
})

describe('store: upstash with a client of @upstash/redis 1.31', () => {
  storeConformance({
    test,
    ...behind(plain, (endpoint, options) => upstash(new Redis131(endpoint), options)),
  })
})

describe('store: a deadline around memory', () => {
  storeConformance({
    test,
    make: () => {
      const subject = memorySubject()
      return { ...subject, store: deadline(subject.store, 5000) }
    },
  })
})

describe('store: a fallback around memory', () => {
  storeConformance({
    test,
    make: () => {
      const subject = memorySubject()
      return { ...subject, store: fallback(subject.store, memory(), { onAway() {} }, () => true) }
    },
  })
})

describe('store: what this isolate knows, around memory', () => {
  storeConformance({
    test,
    make: () => {
      const subject = memorySubject()
      return { ...subject, store: known(subject.store, subject.store, subject.clock) }
    },
  })
})

describe('store: leases around memory', () => {
  storeConformance({
    test,
    make: () => {
      const subject = memorySubject()
      return { ...subject, store: lease(subject.store, () => 2000, subject.clock) }
    },
  })
})
