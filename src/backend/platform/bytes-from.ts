/** The bytes at an address, which may be relative to the page. @throws Error saying what came instead */
export async function bytesFrom(address: string, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
  const response = await fetch(new URL(address, globalThis.location?.href), signal ? { signal } : {});
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}
