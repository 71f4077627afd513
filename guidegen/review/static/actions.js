// What can be done with the chosen item besides setting numbers.

import { $, enable, fill, h } from "./dom.js";
import { keep, settle } from "./edits.js";
import { chosenItem, on, state } from "./store.js";
import { plainName, sentence } from "./words.js";

let rebuild = null;

export function startActions(rebuilder) {
  rebuild = rebuilder;
  on("told work chosen", drawActions);
}

const action = (text, title, onclick, attributes = {}) =>
  h("button", { title, onclick, ...attributes }, text);

function drawActions() {
  const found = chosenItem();
  if (!found) return;
  const item = state.told.items.find((i) => i.name === state.chosen);
  const failed = (text) => fill($("action-why"), sentence(text));
  fill($("action-why"), "");
  const change = (what) => () => {
    settle();
    fill($("action-why"), "");
    keep(state.chosen, what, failed);
  };
  const back = action(
    "Back to the automatic plan",
    "Undo every change of this item",
    change({ automatic: true }),
    { id: "automatic" },
  );
  enable(back, Boolean(item?.edited), "This item is as it was planned");
  const parts = [back];
  if (found.is === "skipped") {
    const on_ = action("Give it a path", "Start on the pedicle's own axis", change({ on: true }), {
      id: "switch-on",
    });
    enable(on_, Boolean(item?.can_switch), "A path can't be given here");
    parts.push(on_);
  } else if (item?.can_switch) {
    parts.push(
      action(
        "Switch off",
        "Leave this path out of the plan and of the guide",
        change({ on: false }),
        { id: "switch-off" },
      ),
    );
  }
  if (item?.places?.length) parts.push(places(item, failed));
  if (found.is !== "skipped") {
    const again = action(
      "Rebuild this guide",
      "Make the guide of this bone from the present plan, to look at",
      () => rebuild(found.item.bone),
      { id: "rebuild" },
    );
    enable(again, !state.work?.running, "Something is being built: wait for it");
    parts.push(again);
  }
  fill($("actions"), parts);
}

/** A pedicle that has a path already can be read, but not chosen. */
function placeOption(bone, side) {
  const taken = state.told.paths.some((p) => p.bone === bone && p.side === side);
  return h(
    "option",
    { value: JSON.stringify([bone, side]), disabled: taken },
    `${plainName(bone)} ${side}${taken ? " (has a path)" : ""}`,
  );
}

/** Where a path can be moved to: another pedicle. */
function places(item, failed) {
  const select = h(
    "select",
    {
      id: "place",
      "aria-label": "Move to another pedicle",
      onchange: () => {
        const [bone, side] = JSON.parse(select.value);
        keep(state.chosen, { bone, side }, failed);
      },
    },
    h("option", { value: "" }, "Move to another pedicle …"),
    item.places.map(([bone, side]) => placeOption(bone, side)),
  );
  return select;
}
