import { execFileSync } from 'node:child_process'

/**
 * Returns the name of a program. Where it is missing, installs the package of Debian that contains
 * it, if that is allowed. Throws otherwise: no test is skipped in silence.
 *
 * @param hint another way to provide it, for the error
 */
export function findProgram(name: string, debianPackage: string, hint = ''): string {
  if (isInstalled(name)) return name
  const want = `${name}: install it (apt-get install ${debianPackage})${hint}`
  if (process.getuid?.() !== 0) throw new Error(`The tests need ${want}`)
  console.log(`No ${name} here: installing Debian’s package ${debianPackage}`)
  try {
    // In the runlevel 1, `invoke-rc.d` starts no server that a package contains.
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' }
    const apt = (...args: string[]) => execFileSync('apt-get', args, { stdio: 'ignore', env })
    apt('update', '-qq')
    apt('install', '-y', '-qq', '--no-install-recommends', debianPackage)
  } catch (cause) {
    throw new Error(`apt-get failed, and the tests need ${want}`, { cause })
  }
  return name
}

function isInstalled(name: string): boolean {
  try {
    execFileSync(name, ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
