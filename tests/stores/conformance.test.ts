import { Redis } from '@upstash/redis/cloudflare'
import { Redis as Redis131 } from 'upstash-redis-1.31.1/cloudflare'
import { describe, inject, test } from 'vitest'
import { upstash } from '../../src/stores/upstash.ts'
import { storeConformance } from '../../src/testing/index.ts'
import { allLease, guarded } from '../support/guarded.ts'
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

describe('store: a guard around memory', () => {
  storeConformance({
    test,
    make: () => {
      const subject = memorySubject()
      return { ...subject, store: guarded(subject.store, subject.clock) }
    },
  })
})

describe('store: a guard that leases, around memory', () => {
  storeConformance({
    test,
    make: () => {
      const subject = memorySubject()
      return {
        ...subject,
        store: guarded(subject.store, subject.clock, { policies: allLease(2000) }),
      }
    },
  })
})

describe('store: a guard around upstash over Redis', () => {
  storeConformance({
    test,
    make: behind(plain, (endpoint, options, clock) => guarded(upstash(endpoint, options), clock))
      .make,
  })
})
