// Keeps the reader's name in this browser. It is in no address: a copied link must not carry it.

const KEPT_S = 90 * 24 * 60 * 60;

export default function ({ data: { cookie, name } }) {
  const age = name ? KEPT_S : 0;
  const secure = location.protocol === "https:" ? "; secure" : "";
  document.cookie = `${cookie}=${encodeURIComponent(name)}; path=/; max-age=${age}; samesite=lax${secure}`;
}
