import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
// TypeScript 7 offers its compiler to programs only under this name. It runs as a process of its own.
import {
  API,
  type Symbol as Named,
  NodeBuilderFlags,
  type Project,
  type Signature,
  SignatureKind,
  SymbolFlags,
  type Type,
} from 'typescript/unstable/sync'
import { COMPILER_OPTIONS } from './docs-code.ts'

/** What a module exports, by name. */
export type Exports = ReadonlyMap<string, Export>

export interface Export {
  /** Of a function: what it takes, such as `request, context?`. */
  readonly args: string | undefined
  /** Whether it is a type of objects that are no functions and no instances of a class. */
  readonly isObject: boolean
}

/** A property of a type, and what its declaration contains. */
export interface Property {
  readonly name: string
  readonly isOptional: boolean
  /** The text of `@default`. */
  readonly byDefault: string | undefined
  /** Where it is declared: for a property that the type inherits, in another type. */
  readonly declaredAt: string
  /** Of a method: what it takes and returns. */
  readonly method: { readonly args: string; readonly returns: string } | undefined
}

/** Types of a module. */
export interface Module {
  /** The errors of types in it. */
  readonly errors: readonly string[]
  /** What the module exports under a name by `export * as`. */
  exportsOf(namespace: string): Exports
  propertiesOf(type: string): readonly Property[]
  textOf(type: string): string
  isUnknown(type: string): boolean
  isAssignable(from: string, to: string): boolean
}

/**
 * Compiles modules, of which `codes` has the code, in a folder in which the package is installed. The
 * compiler runs until `stop` is called.
 */
export function compile(folder: string, codes: readonly string[]) {
  // So that `(request, context) => boolean` is a type.
  const compilerOptions = { ...COMPILER_OPTIONS, noImplicitAny: false }
  const paths = codes.map((_, index) => join(folder, `module-${index}.ts`))
  for (const [index, path] of paths.entries()) writeFileSync(path, codes[index] ?? '')
  const config = join(folder, 'tsconfig.json')
  writeFileSync(config, JSON.stringify({ compilerOptions, files: paths }))
  const api = new API({ cwd: folder })
  const project = api.updateSnapshot({ openProjects: [config] }).getProject(config)
  if (project === undefined) throw new Error(`${config} is no project`)
  return { modules: paths.map((path) => moduleAt(project, path)), stop: () => api.close() }
}

function moduleAt(project: Project, path: string): Module {
  const { checker, program } = project
  const file = program.getSourceFile(path)
  const module = file && checker.getSymbolAtLocation(file)
  const exported = new Map(
    module && checker.getExportsOfModule(module).map((symbol) => [symbol.name, symbol]),
  )

  function symbolOf(name: string): Named {
    const symbol = exported.get(name)
    if (symbol === undefined) throw new Error(`${path} does not export ${name}`)
    return symbol
  }

  const typeOf = (name: string) => checker.getDeclaredTypeOfSymbol(symbolOf(name))

  return {
    errors: program.getSemanticDiagnostics(path).map(({ text }) => text),
    exportsOf(namespace) {
      const symbols = checker.getExportsOfModule(checker.getAliasedSymbol(symbolOf(namespace)))
      return new Map(symbols.map((symbol) => [symbol.name, exportOf(project, symbol)]))
    },
    propertiesOf: (type) =>
      checker.getPropertiesOfType(typeOf(type)).map((symbol) => propertyOf(project, symbol)),
    textOf: (type) => checker.typeToString(typeOf(type), undefined, NodeBuilderFlags.InTypeAlias),
    isUnknown: (type) => typeOf(type).id === checker.getUnknownType().id,
    isAssignable: (from, to) => checker.isTypeAssignableTo(typeOf(from), typeOf(to)),
  }
}

function exportOf(project: Project, symbol: Named): Export {
  const { checker } = project
  const target = symbol.flags & SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol
  const value = target.flags & SymbolFlags.Value ? checker.getTypeOfSymbol(target) : undefined
  const isType = target.flags & (SymbolFlags.Interface | SymbolFlags.TypeAlias)
  const type = isType ? checker.getDeclaredTypeOfSymbol(target) : undefined
  return {
    args: value && methodOf(project, value)?.args,
    isObject:
      type?.isObjectType() === true &&
      checker.getPropertiesOfType(type).length > 0 &&
      methodOf(project, type) === undefined,
  }
}

const isOptional = ({ flags }: Named) => (flags & SymbolFlags.Optional) !== 0

function propertyOf(project: Project, symbol: Named): Property {
  const { checker } = project
  const tag = symbol.getJsDocTags(checker).find(({ name }) => name === 'default')
  const [declaration] = symbol.declarations
  const type = checker.getTypeOfSymbol(symbol)
  return {
    name: symbol.name,
    isOptional: isOptional(symbol),
    byDefault: tag?.text,
    declaredAt: `${declaration?.path} ${declaration?.index}`,
    method: type && methodOf(project, type),
  }
}

function methodOf(project: Project, type: Type): Property['method'] {
  const { checker } = project
  const [signature] = checker.getSignaturesOfType(type, SignatureKind.Call)
  if (signature === undefined) return undefined
  const returned = checker.getReturnTypeOfSignature(signature)
  return {
    args: argsOf(project, signature).join(', '),
    returns: returned === undefined ? '' : checker.typeToString(returned),
  }
}

const argsOf = (project: Project, signature: Signature): readonly string[] =>
  signature.getParameters().map(({ name, valueDeclaration }) => {
    const parameter = valueDeclaration?.resolve(project)
    return parameter && 'questionToken' in parameter && parameter.questionToken ? `${name}?` : name
  })
