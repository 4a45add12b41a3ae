// Tells when the browser no longer shows the page (another tab, a minimised or closed window), and when it does again.

export default function ({ setTriggerValue }) {
  const listeners = new AbortController();
  const tell = () => setTriggerValue("sight", document.visibilityState);
  document.addEventListener("visibilitychange", tell, { signal: listeners.signal });
  return () => listeners.abort();
}
