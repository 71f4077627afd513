// Asks once who is at work: every change is written down with a name.

import { keepUserName, userName } from "./api.js";
import { $ } from "./dom.js";

/** The name, asked for where it is not known; "" if it was not given. */
export function askName(again = false) {
  if (userName() && !again) return Promise.resolve(userName());
  const dialog = $("name-dialog");
  const field = $("name-field");
  field.value = userName();
  $("name-ok").disabled = !field.value.trim();
  return new Promise((resolve) => {
    dialog.addEventListener(
      "close",
      () => {
        if (dialog.returnValue === "ok" && field.value.trim()) keepUserName(field.value);
        $("name-shown").textContent = userName() || "no name yet";
        resolve(userName());
      },
      { once: true },
    );
    dialog.returnValue = "";
    dialog.showModal();
    field.focus();
  });
}

export function startName() {
  $("name-shown").textContent = userName() || "no name yet";
  $("name-shown").addEventListener("click", () => askName(true));
  const dialog = $("name-dialog");
  $("name-field").addEventListener("input", () => {
    $("name-ok").disabled = !$("name-field").value.trim();
  });
  $("name-field").addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !$("name-ok").disabled) dialog.close("ok");
  });
  $("name-ok").addEventListener("click", () => dialog.close("ok"));
  $("name-cancel").addEventListener("click", () => dialog.close(""));
}
