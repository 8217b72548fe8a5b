import { inject, test } from 'vitest'
import { upstash } from '../../src/stores/upstash.ts'
import { expectGrantsOfMemory } from '../support/differential.ts'
import { guarded } from '../support/guarded.ts'
import { behind } from '../support/subjects.ts'

test('upstash grants what memory grants, for any sequence of demands and waits', async () => {
  const { make } = behind(() => inject('gateway'), upstash)
  await expectGrantsOfMemory(make, 40)
})

test('a guard around upstash grants what memory grants, for any sequence of demands and waits', async () => {
  const { make } = behind(
    () => inject('gateway'),
    (endpoint, options, clock) => guarded(upstash(endpoint, options), clock),
  )
  await expectGrantsOfMemory(make, 40, true)
})
