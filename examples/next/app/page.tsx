export default function Page() {
  return <a href="/api/hello">Say hello</a>
}
