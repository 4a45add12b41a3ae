// Keeps, for this tab alone, the token of what its reader brought, and gives a sign of life while the tab is in view.
// sessionStorage outlasts a reload and a tab put to sleep; it ends with the tab and is no part of any address.

const TOKEN = "shamsul.visit";
const EVERY_MS = 60_000;

function stored(change) {
  try {
    return change(sessionStorage);
  } catch { // a browser that stores nothing: what was brought then ends with the session
    return null;
  }
}

export default function ({ data, setTriggerValue }) {
  if (data.token) stored((storage) => storage.setItem(TOKEN, data.token));
  else if (data.forget) stored((storage) => storage.removeItem(TOKEN));
  else {
    const token = stored((storage) => storage.getItem(TOKEN));
    if (token) setTriggerValue("token", token);
  }
  if (!data.token) return () => {};
  const timer = setInterval(() => {
    if (document.visibilityState === "visible") setTriggerValue("alive", Date.now());
  }, EVERY_MS);
  return () => clearInterval(timer);
}
