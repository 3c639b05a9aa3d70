// Looks for runs that go on, and replaces what has changed; the page itself stays.
(() => {
  "use strict";
  const every = 2000;
  const status = document.getElementById("refresh");

  const load = async (address) => {
    const answer = await fetch(address, { cache: "no-store" });
    if (!answer.ok) throw new Error(`answered ${answer.status}`);
    return new DOMParser().parseFromString(await answer.text(), "text/html");
  };

  const replace = (from, id) => {
    const next = from.getElementById(id), now = document.getElementById(id);
    if (!next || !now || next.outerHTML === now.outerHTML) return;
    const focus = now.contains(document.activeElement) ? document.activeElement : null;
    const places = focus ? [...now.querySelectorAll("a, select, button, [tabindex]")] : [];
    const at = places.indexOf(focus), label = focus?.getAttribute("aria-label");
    now.replaceWith(next);
    if (!focus) return;
    const again = [...next.querySelectorAll("a, select, button, [tabindex]")];
    const same = label ? again.find((one) => one.getAttribute("aria-label") === label) : again[at];
    same?.focus({ preventScroll: true });
  };

  const look = async () => {
    if (document.hidden) return;
    try {
      const before = document.getElementById("live").dataset.runs;
      const found = await load("/live");
      const after = found.getElementById("live").dataset.runs;
      if (after !== before) {
        const whole = await load(location.href);
        for (const id of ["live", "alerts", "newest", "runs"]) replace(whole, id);
      } else {
        replace(found, "live");
      }
      status.textContent = after ? "Refreshes every 2 s." : "";
    } catch (error) {
      status.textContent = `Not refreshed since ${new Date().toLocaleTimeString("en-GB")}: the dashboard does not answer (${error.message}).`;
    }
  };

  let timer = 0;
  const next = () => { timer = setTimeout(() => look().finally(next), every); };
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) return;
    clearTimeout(timer);
    look().finally(next);
  });
  next();
})();
