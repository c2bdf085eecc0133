// What pages do where a script runs. Each of them works without it: this only makes them nicer.
// Plain script, no library, no request to any other host.
(() => {
  "use strict";
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const say = (text) => { const box = document.getElementById("say"); if (box) box.textContent = text; };

  // What the server wrote, before anything here touches it: what a part is compared with later.
  const shown = new Map(all("[data-part]").map((part) => [part.dataset.part, part.innerHTML.replace(/name="nonce" value="[^"]*"/g, "").replace(/ data-refresh-in="\d+"/g, "")]));

  // ---- submit once: a second click does nothing; coming back by the back button works again ----
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method !== "post" || form.action.endsWith("/theme")) return;
    if (form.dataset.sent) { event.preventDefault(); return; }
    form.dataset.sent = "1";
    const button = event.submitter;
    // Only after the browser has read the form: a disabled button's value is not sent.
    setTimeout(() => {
      if (!button) return;
      button.disabled = true;
      if (button.dataset.busy) { button.dataset.label = button.textContent; button.textContent = button.dataset.busy; }
    }, 0);
  });
  addEventListener("pageshow", (event) => {
    for (const form of all("form[data-sent]")) {
      delete form.dataset.sent;
      for (const button of all("button[disabled]", form)) {
        button.disabled = false;
        if (button.dataset.label) button.textContent = button.dataset.label;
      }
    }
    // A page from the browser's memory shows old balances: ask again.
    if (event.persisted && document.body.dataset.stream) location.reload();
  });

  // ---- colours: at once, and kept by the same form ----
  document.addEventListener("click", (event) => {
    const button = event.target.closest(".themes button");
    if (!button) return;
    event.preventDefault();
    document.documentElement.dataset.theme = button.value;
    for (const other of all(".themes button")) other.setAttribute("aria-pressed", String(other === button));
    const body = new URLSearchParams({ theme: button.value, return_to: "/" });
    fetch("/theme", { method: "POST", body, redirect: "manual" }).catch(() => {});
  });

  // ---- small things ----
  for (const eye of all("[data-show]")) {
    eye.hidden = false;
    eye.addEventListener("click", () => {
      const input = document.getElementById(eye.dataset.show);
      const shown = input.type === "text";
      input.type = shown ? "password" : "text";
      eye.setAttribute("aria-pressed", String(!shown));
    });
  }
  const readyCopies = () => {
    for (const button of all("[data-copy][hidden]")) if (navigator.clipboard) button.hidden = false;
  };
  readyCopies();
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (button) {
      try { await navigator.clipboard.writeText(button.dataset.copy); say("Copied."); button.classList.add("copied"); }
      catch { say("Could not copy."); }
    }
    if (event.target.closest("[data-print]")) print();
    const preset = event.target.closest("[data-amount]");
    if (preset) {
      const input = document.getElementById("amount");
      // A link fills the form in where no script runs; here it would lose what was chosen.
      if (input) { event.preventDefault(); input.value = preset.dataset.amount; input.focus(); }
    }
    for (const menu of all("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false;
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of all("details.menu[open]")) { menu.open = false; menu.querySelector("summary").focus(); }
  });
  const ready = (button) => { button.hidden = false; };
  for (const button of all("[data-print]")) ready(button);
  for (const box of all("[data-amount], [data-needs-script]")) box.hidden = false;
  const wrong = document.querySelector("[data-focus]");
  if (wrong) wrong.focus();

  // ---- a sound when money comes: only after a click, which is what browsers ask for ----
  let bell = null;
  const ring = () => {
    if (!bell) return;
    for (const [after, pitch] of [[0, 880], [0.15, 1175]]) {
      const tone = bell.createOscillator(), level = bell.createGain(), at = bell.currentTime + after;
      tone.frequency.value = pitch;
      level.gain.setValueAtTime(0.2, at);
      level.gain.exponentialRampToValueAtTime(0.001, at + 0.4);
      tone.connect(level).connect(bell.destination);
      tone.start(at);
      tone.stop(at + 0.45);
    }
  };
  for (const button of all("[data-sound]")) {
    if (!("AudioContext" in window)) continue;
    button.hidden = false;
    button.addEventListener("click", () => {
      const on = button.getAttribute("aria-pressed") !== "true";
      button.setAttribute("aria-pressed", String(on));
      if (bell) bell.close();
      bell = on ? new AudioContext() : null;
      ring();
    });
  }
  // ---- as large as the screen: for a tablet beside the till ----
  for (const button of all("[data-fullscreen]")) {
    if (!document.fullscreenEnabled) continue;
    button.hidden = false;
    button.addEventListener("click", () => {
      if (document.fullscreenElement) document.exitFullscreen();
      else document.documentElement.requestFullscreen().catch(() => {});
    });
    document.addEventListener("fullscreenchange", () => button.setAttribute("aria-pressed", String(Boolean(document.fullscreenElement))));
  }
  const newest = () => document.querySelector("[data-chime]")?.dataset.chime || "";
  let rung = newest();

  // ---- countdowns, in the words of the server ----
  const left = (seconds) => {
    if (seconds <= 0) return "any moment now";
    if (seconds < 90) return `in ${seconds} s`;
    if (seconds < 5400) return `in ${Math.round(seconds / 60)} min`;
    if (seconds < 172800) return `in ${Math.round(seconds / 3600)} h`;
    return `in ${Math.round(seconds / 86400)} days`;
  };
  const tick = () => {
    for (const time of all("[data-countdown]")) {
      const words = left(Math.round((Date.parse(time.dateTime) - Date.now()) / 1000));
      if (time.textContent !== words) time.textContent = words;
    }
  };
  if (document.querySelector("[data-countdown]")) { tick(); setInterval(tick, 1000); }

  // ---- a picture of a QR code: read here where the browser can; else made smaller than telephones
  // make them, for the button sends it ----
  const smaller = async (file) => {
    const side = 1600, picture = await createImageBitmap(file);
    const scale = side / Math.max(picture.width, picture.height);
    if (scale >= 1) return file;
    const canvas = document.createElement("canvas");
    canvas.width = Math.round(picture.width * scale);
    canvas.height = Math.round(picture.height * scale);
    canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
    const made = await new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.9));
    return made && made.size < file.size ? new File([made], "code.jpg", { type: "image/jpeg" }) : file;
  };
  for (const form of all("form[data-scan]")) {
    const input = form.elements.picture, text = document.getElementById(form.dataset.scan);
    input.addEventListener("change", async () => {
      const file = input.files[0];
      if (!file) return;
      try {
        const found = text && "BarcodeDetector" in window
          ? await new BarcodeDetector({ formats: ["qr_code"] }).detect(await createImageBitmap(file)) : [];
        if (found.length === 1) {
          text.value = found[0].rawValue;
          const words = "The code was read, and what it says filled in. Continue from there.";
          document.getElementById("picture-hint").textContent = words;
          say(words);
          return;
        }
        const bag = new DataTransfer();
        bag.items.add(await smaller(file));
        if (input.files[0] === file) input.files = bag.files;
      } catch { /* What cannot be looked at here is sent as it is: the server says what is wrong. */ }
    });
  }

  // ---- live: what changed comes as events; the page asks for its own text again and takes the
  // parts that are marked. So there is one place that writes HTML, and it is the server. ----
  const body = document.body;
  let now = null;
  const dot = (state, words) => {
    now = [state, words];
    // Asked for each time: a part that was patched brings a dot of its own.
    for (const live of all("[data-live]")) {
      live.dataset.state = state;
      live.innerHTML = "<i aria-hidden=\"true\"></i>";
      live.append(words);
    }
  };
  if (body.dataset.stream && "EventSource" in window) {
    let source = null, asking = null, again = false;
    const refresh = async () => {
      if (asking) { again = true; return; }
      asking = fetch(location.href, { headers: { Accept: "text/html" }, credentials: "same-origin" });
      try {
        const answer = await asking;
        if (answer.redirected || answer.status === 401) { location.reload(); return; }
        if (!answer.ok) return;
        patch(new DOMParser().parseFromString(await answer.text(), "text/html"));
      } catch { /* the stream tries again, and so do we at the next event */ } finally {
        asking = null;
        if (again) { again = false; later(); }
      }
    };
    // A form's nonce is another one each time and nothing that changed; nor is how long to wait.
    const plain = (html) => html.replace(/name="nonce" value="[^"]*"/g, "").replace(/ data-refresh-in="\d+"/g, "");
    // Where the words change with time alone, the page is asked for again when they do.
    let due = null;
    const schedule = (root) => {
      clearTimeout(due);
      const wait = root.querySelector("[data-refresh-in]");
      if (wait) due = setTimeout(refresh, Number(wait.dataset.refreshIn) * 1000);
    };
    schedule(document);
    let timer = null;
    const later = () => { clearTimeout(timer); timer = setTimeout(refresh, 250); };
    const patch = (fresh) => {
      const said = [];
      for (const old of all("[data-part]")) {
        const part = fresh.querySelector(`[data-part="${CSS.escape(old.dataset.part)}"]`);
        if (!part) { old.replaceChildren(); continue; }
        const html = plain(part.innerHTML);
        if (html === shown.get(old.dataset.part)) continue;
        // What somebody is working in stays: it would lose their place.
        if (old.contains(document.activeElement) && document.activeElement.matches("input, select, textarea")) continue;
        const open = all("details[open]", old).map((details) => details.dataset.key).filter(Boolean);
        shown.set(old.dataset.part, html);
        old.replaceChildren(...part.childNodes);
        for (const key of open) { const details = old.querySelector(`details[data-key="${CSS.escape(key)}"]`); if (details) details.open = true; }
        old.classList.remove("changed"); void old.offsetWidth; old.classList.add("changed");
        const announce = old.querySelector("[data-say]");
        if (announce) said.push(announce.dataset.say);
      }
      readyCopies();
      for (const button of all("[data-print]", document)) ready(button);
      if (now) dot(...now);
      tick();
      const came = newest();
      if (came && came !== rung) ring();
      rung = came;
      if (said.length) say(said.join(". "));
      schedule(fresh);
      if (over()) close();
    };
    // What was followed has come to its end: there is nothing more to hear.
    const over = () => document.querySelector("[data-over]") !== null;
    const open = () => {
      if (source || over()) return;
      source = new EventSource(body.dataset.stream);
      source.onopen = () => { dot("live", "Live"); refresh(); };
      source.onerror = () => {
        dot("reconnecting", "Reconnecting");
        if (source && source.readyState === EventSource.CLOSED) { source = null; setTimeout(open, 5000); }
      };
      source.onmessage = later;
      for (const kind of (body.dataset.events || "").split(" ").filter(Boolean)) source.addEventListener(kind, later);
    };
    const close = () => { if (source) { source.close(); source = null; dot("paused", "Paused"); } };
    document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
    addEventListener("pagehide", close);
    if (!document.hidden) open();
  }

  // ---- the desk: j and k go through the rows, Enter opens one (it is a link, so the browser does) ----
  if (document.querySelector("[data-keys]")) {
    document.addEventListener("keydown", (event) => {
      if ((event.key !== "j" && event.key !== "k") || event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.target.closest("input, select, textarea")) return;
      const rows = all("[data-keys] tbody tr").map((row) => row.querySelector("a")).filter(Boolean);
      if (!rows.length) return;
      const at = rows.indexOf(document.activeElement);
      const next = event.key === "j" ? Math.min(at + 1, rows.length - 1) : Math.max(at - 1, 0);
      rows[next].focus();
      event.preventDefault();
    });
  }
})();
